import type { Webhooks } from '@octokit/webhooks'
import { SECRET } from '../signed.ts'
import { PATH } from './contestant.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

export async function octokitOnNode() {
  const { Webhooks, createNodeMiddleware } = await import('@octokit/webhooks')
  return createNodeMiddleware(withHandler(new Webhooks({ secret: SECRET, log })), { path: PATH, log })
}

export async function octokitOnWeb() {
  const { Webhooks, createWebMiddleware } = await import('@octokit/webhooks')
  return createWebMiddleware(withHandler(new Webhooks({ secret: SECRET, log })), { path: PATH, log })
}

function withHandler(webhooks: Webhooks): Webhooks {
  webhooks.on('push', () => {})
  return webhooks
}
