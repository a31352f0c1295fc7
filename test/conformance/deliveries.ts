import { createHmac } from 'node:crypto'

/** A secret a topic, as Commerce Layer gives them out. */
export const SECRETS = {
  'orders.place': '0f4ab4d9c46ab3c3a24ea9c7cbd6a8d1',
  'orders.create': '6f1c9e01b4f84a7a9b9f1f5a6d0b2c3e',
  'customers.create': '9c7a5b3d1e2f40618273a4b5c6d7e8f9',
  'galaxies.explode': 'a1b2c3d4e5f60718293a4b5c6d7e8f90',
}

type SecretTopic = keyof typeof SECRETS

/** What a sender puts on the wire. */
export interface Sent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export function signatureOf(body: Uint8Array | string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('base64')
}

/** A genuine delivery of whatever bytes are given, signed with the topic's own secret. */
export function signed(topic: SecretTopic, body: Uint8Array | string): Sent {
  return {
    headers: {
      'content-type': 'application/json',
      'x-commercelayer-topic': topic,
      'x-commercelayer-signature': signatureOf(body, SECRETS[topic]),
    },
    body: Buffer.from(body),
  }
}

/** The same request with other headers; `undefined` leaves one out. */
export function withHeaders(sent: Sent, changes: Readonly<Record<string, string | undefined>>): Sent {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...sent.headers, ...changes })) {
    if (value !== undefined) headers[name] = value
  }
  return { headers, body: sent.body }
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
