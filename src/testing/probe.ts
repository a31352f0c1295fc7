import { PROBE } from '../core/verify/probe.ts'
import { sign } from '../core/verify/signature.ts'
import { TEST_SECRET } from '../core/verify/test-secret.ts'
import { createDeliveryHeaders } from '../wire/headers.ts'
import type { TestDelivery } from './delivery.ts'

/** The options of {@link createProbe}. */
export interface ProbeOptions {
  /** The shared secret that it is signed with. Default: {@link TEST_SECRET}. */
  readonly secret?: string | undefined
}

/**
 * Creates a probe: a signed request that finds out whether a running receiver has a secret of a topic, without an
 * effect. The receiver answers it after it has verified the signature:
 *
 * - 200 `ignored` if the secret is one of the topic's. No handler runs, nothing is stored, and the circuit's failures
 *   are counted on as if it had not come.
 * - 401 if it is not. This is neither logged nor given to `onError`.
 *
 * `hooklayer webhooks rotate` uses it. Receivers of version 0.1 do not know it, and take it for a document that is
 * invalid.
 *
 * @example
 * const { status } = await fetch('https://shop.example/webhooks', await createProbe('orders.place', { secret }))
 */
export async function createProbe<T extends string>(topic: T, options: ProbeOptions = {}): Promise<TestDelivery<T>> {
  const body = new TextEncoder().encode(PROBE)
  const signature = await sign(body, options.secret ?? TEST_SECRET)
  const headers = { ...createDeliveryHeaders(topic, signature), 'content-length': String(body.byteLength) }
  return { method: 'POST', topic, headers, body }
}
