import { createDelivery, sign, TEST_SECRET, type TestDelivery } from 'hooklayer/testing'

/** The order that a probe sends. */
export const ORDER = 'AbCdEfGhIj'

export const FORGER_SECRET = 'fedcba9876543210fedcba9876543210'

interface Version {
  readonly topic?: 'orders.place' | 'orders.approve'
  readonly id?: string
  readonly updatedAt?: string
}

export function orderDelivery(version: Version = {}): Promise<TestDelivery> {
  const { topic = 'orders.place', id = ORDER, updatedAt = '2026-11-20T10:00:01.000Z' } = version
  const customer = { email: 'zoe.fontaine@example.com' }
  return createDelivery(topic, { resource: { id, updated_at: updatedAt, customer_email: customer.email, customer } })
}

/** The same headers with another body, signed for it. */
export async function replaceBody(delivery: TestDelivery, text: string, secret = TEST_SECRET): Promise<TestDelivery> {
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
