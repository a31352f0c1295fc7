import { createHash, createHmac } from 'node:crypto'

export { recordingLogger, rejection, thrownBy } from '../src/contracts/helpers.ts'

export const SECRET = '8f3a61c07d2e4b95a1f06c3d7e8b2a49'
export const OTHER_SECRET = '1b6e0d92c4a74f3881d5f70a3c2e9b64'

export interface SignedRequest {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The signature as the sender computes it, without the code under test. */
export function signed(body: Uint8Array | string, secret = SECRET): string {
  return createHmac('sha256', secret).update(body).digest('base64')
}

/** SHA-256 in hex of topic, line feed and content: the form of `delivery.id` and `event.id`. */
export function idOf(topic: string, content: Uint8Array | string): string {
  return createHash('sha256').update(`${topic}\n`).update(content).digest('hex')
}

/** A request with a correct signature. Its body is text, bytes, or a document that is written as JSON. */
export function delivery(topic: string, body: Uint8Array | string | object, secret = SECRET): SignedRequest {
  const written = body instanceof Uint8Array ? body : bytes(typeof body === 'string' ? body : JSON.stringify(body))
  return {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-commercelayer-topic': topic,
      'x-commercelayer-signature': signed(written, secret),
    },
    body: written,
  }
}

/** The same request with other headers. `undefined` removes a header. */
export function withHeaders(request: SignedRequest, changes: Record<string, string | undefined>): SignedRequest {
  const headers = { ...request.headers, ...changes }
  const present = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined)
  return { ...request, headers: Object.fromEntries(present) }
}

export interface TestResource {
  readonly id: string
  readonly type: string
  readonly attributes?: Record<string, unknown> | null
  readonly relationships?: Record<string, unknown> | null
  readonly meta?: Record<string, unknown> | null
}

/** An order as Commerce Layer writes it, with changes. */
export function order(changes: Partial<TestResource> = {}): TestResource {
  return { id: 'NrlYhpzLKA', type: 'orders', attributes: { number: '2001', total_amount_float: 20.5 }, ...changes }
}

/** An order whose line items link back to it. */
export const CART = {
  data: order({
    relationships: {
      customer: { data: { type: 'customers', id: 'OeRyhjDlje' } },
      line_items: { data: [{ type: 'line_items', id: 'xYZkjABcde' }] },
      market: { links: { self: '/api/orders/NrlYhpzLKA/relationships/market' } },
      payment_method: { data: null },
    },
    meta: { mode: 'test', organization_id: 'wRPpEFOElR' },
  }),
  included: [
    { id: 'OeRyhjDlje', type: 'customers', attributes: { email: 'ada@example.com' } },
    {
      id: 'xYZkjABcde',
      type: 'line_items',
      attributes: { quantity: 2 },
      relationships: { order: { data: { type: 'orders', id: 'NrlYhpzLKA' } } },
    },
  ],
}

/** A body with arrays that are nested `levels` deep in a valid document. */
export function nested(levels: number): string {
  const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`
  return `{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"metadata":${deep},"number":"2001"}}}`
}
