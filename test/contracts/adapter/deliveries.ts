import { delivery, type SignedRequest } from '../../deliveries.ts'
import { SECRETS } from './secrets.ts'

/** A request as it is sent. */
export interface Sent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** A genuine delivery of these bytes, signed with the topic's own secret. */
export function sentAs(topic: keyof typeof SECRETS, body: Uint8Array | string): SignedRequest {
  return delivery(topic, body, SECRETS[topic])
}

/**
 * An order as it stands on the wire: its floats end in `.0` and its URL has a `\u0026`, neither of which survives
 * `JSON.stringify(JSON.parse(text))`.
 */
export function orderText({ id = 'OeRyhjDlje', name = 'Ada', padding = 0 } = {}): string {
  return (
    `{"data":{"id":"${id}","type":"orders","links":{"self":"/api/orders/${id}"},"attributes":{"number":1234,` +
    '"total_amount_cents":2000,"total_amount_float":20.0,"cart_url":"https://shop.example/?a=1\\u0026b=2",' +
    `"metadata":{"padding":"${'x'.repeat(padding)}"}},"relationships":{"customer":{"data":{"type":"customers",` +
    '"id":"CuStOmErId"}}},"meta":{"mode":"test","organization_id":"wRPpEFOElR"}},"included":[{"id":"CuStOmErId",' +
    `"type":"customers","attributes":{"email":"ada@example.com","metadata":{"name":"${name}"}}}]}`
  )
}

export function customerText(email = 'ada@example.com'): string {
  return `{"data":{"id":"CuStOmErId","type":"customers","attributes":{"email":"${email}"}}}`
}

/** The order that most tests send: it has more bytes than characters. */
export const ORDER = sentAs('orders.place', orderText({ name: 'Zoë 🛒' }))
/** The same order without a signature. */
export const UNSIGNED = {
  headers: { 'content-type': 'application/json', 'x-commercelayer-topic': 'orders.place' },
  body: ORDER.body,
}
export const HANDLED = '{"outcome":"handled"}'

/** The answer to a body that a parser has read. It names neither the framework nor what to do: strangers see it too. */
export const PARSED = {
  error: {
    code: 'BODY_ALREADY_PARSED',
    message: 'The body was read before the receiver saw it, and the signed bytes are gone.',
  },
}
