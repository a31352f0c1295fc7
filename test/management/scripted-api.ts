import type { IncomingHttpHeaders } from 'node:http'
import { text } from 'node:stream/consumers'
import { createManagement, type ManagementOptions } from 'hooklayer/management'
import { onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'

export const CREDENTIALS = { organization: 'shop', clientId: 'the-client-id', clientSecret: 'the-client-secret' }

export interface Asked {
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

/** Answers one request; `undefined` never answers. */
export type Script = (asked: Asked, number: number) => Answer | undefined | Promise<Answer | undefined>

/** A server whose answers a test writes, to see what the client makes of what an emulator would never do. */
export async function scriptedApi(script: Script, token: Script = grantToken) {
  const asked: Asked[] = []
  const tokenRequests: Asked[] = []
  const server = await listen(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const one = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      body: await text(request).catch(() => ''),
    }
    const [list, answerOf] = pathname.endsWith('/oauth/token') ? [tokenRequests, token] : [asked, script]
    list.push(one)
    const answer = await answerOf(one, list.length)
    if (!answer) return
    if (answer.hangUp) return void request.socket.destroy()
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/vnd.api+json', ...answer.headers })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  }, '')
  onTestFinished(() => server.close())
  const manage = (options: Partial<ManagementOptions> = {}) =>
    createManagement({ ...CREDENTIALS, url: server.url, ...options })
  return { url: server.url, asked, tokenRequests, manage }
}

/** A new token each time. */
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

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It did not reject.')
    },
    (thrown) => thrown,
  )
}

export async function all<T>(records: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const record of records) list.push(record)
  return list
}
