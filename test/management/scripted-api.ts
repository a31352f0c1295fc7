import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { createManagement, type ManagementOptions } from 'hooklayer/management'
import { onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'

export const CREDENTIALS = { organization: 'shop', clientId: 'the-client-id', clientSecret: 'the-client-secret' }

/** A request that the client made. */
export interface ScriptedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string>
  /** Written as JSON, unless it is text. */
  readonly body?: unknown
  /** Breaks the connection instead. */
  readonly hangUp?: boolean
}

/** Answers one request; `undefined` never answers. `number` counts from 1. */
export type Script = (request: ScriptedRequest, number: number) => Answer | undefined | Promise<Answer | undefined>

/** Starts a server whose answers the test writes, for answers that the emulator never gives. */
export async function startScriptedApi(script: Script, token: Script = grantToken) {
  const requests: ScriptedRequest[] = []
  const tokenRequests: ScriptedRequest[] = []
  const server = await listen(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const one = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body: await text(request).catch(() => ''),
    }
    const [list, respond] = pathname.endsWith('/oauth/token') ? [tokenRequests, token] : [requests, script]
    list.push(one)
    const answer = await respond(one, list.length)
    if (!answer) return
    if (answer.hangUp) return void request.socket.destroy()
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/vnd.api+json', ...answer.headers })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  }, '')
  onTestFinished(() => server.close())
  const manage = (options: Partial<ManagementOptions> = {}) =>
    createManagement({ ...CREDENTIALS, url: server.url, ...options })
  return { url: server.url, requests, tokenRequests, manage }
}

/** Answers with a new token each time. */
export const grantToken: Script = (_, number) => ({
  body: { access_token: `token-${number}`, token_type: 'Bearer', expires_in: 7200, scope: 'market:all', created_at: 1 },
})

export const WEBHOOK = {
  id: 'xYZkjABcde',
  type: 'webhooks',
  attributes: {
    topic: 'orders.place',
    callback_url: 'https://shop.example/webhooks',
    created_at: '2026-08-01T10:00:00.000Z',
  },
}

export const ONE: Answer = { body: { data: WEBHOOK } }

export const LIST: Answer = { body: { data: [WEBHOOK], meta: { record_count: 1, page_count: 1 } } }
