import { createDelivery, sign, type TestDelivery } from 'hooklayer/testing'

/** The order that a probe sends. */
export const ORDER = 'AbCdEfGhIj'

/** Not `TEST_SECRET`, which is refused in production. */
export const SHOP_SECRET = '4f6a0c8e2b7d19535e8fa1c3d07b6294'
export const FORGER_SECRET = 'fedcba9876543210fedcba9876543210'

interface Version {
  readonly topic?: 'orders.place' | 'orders.approve'
  readonly id?: string
  readonly updatedAt?: string
}

export function orderDelivery(version: Version = {}): Promise<TestDelivery> {
  const { topic = 'orders.place', id = ORDER, updatedAt = '2026-11-20T10:00:01.000Z' } = version
  const customer = { email: 'zoe.fontaine@example.com' }
  const resource = { id, updated_at: updatedAt, customer_email: customer.email, customer }
  return createDelivery(topic, { secret: SHOP_SECRET, resource })
}

/** The same headers with another body, signed for it. */
export async function replaceBody(delivery: TestDelivery, text: string, secret = SHOP_SECRET): Promise<TestDelivery> {
  const body = new TextEncoder().encode(text)
  const signed = { 'X-CommerceLayer-Signature': await sign(body, secret), 'content-length': String(body.byteLength) }
  return { ...delivery, headers: { ...delivery.headers, ...signed }, body }
}

/** The same document as JavaScript writes it: its floats lose their `.0`. */
export function reserialize(delivery: TestDelivery): Promise<TestDelivery> {
  return replaceBody(delivery, JSON.stringify(JSON.parse(decodeBody(delivery))))
}

export function decodeBody({ body }: TestDelivery): string {
  return new TextDecoder().decode(body)
}

export function readSignature({ headers }: TestDelivery): string {
  return headers['X-CommerceLayer-Signature'] ?? ''
}
