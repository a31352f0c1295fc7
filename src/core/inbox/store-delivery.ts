import { type Deadline, withTimeout } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { parseDocument } from '../event/document.ts'
import { asPromise } from '../maybe-promise.ts'
import { DUPLICATE, type Outcome, QUEUED } from '../outcome.ts'
import { bodyIdOf, type Delivery, identify } from '../verify/delivery.ts'
import type { Inbox } from './inbox.ts'
import type { StoredSignatures } from './stored-signatures.ts'

export interface StoreOptions {
  readonly ordering: 'none' | 'resource'
  readonly signatures: StoredSignatures | undefined
  /** The trace context to store with it. */
  readonly traceparent: string | undefined
}

/**
 * Stores a delivery for a worker. Resolves only after the inbox has confirmed that the delivery is stored, because 2xx
 * ends Commerce Layer's retries. Waits at most until the deadline, even if the inbox never settles.
 *
 * @throws WebhookError `STORE_UNAVAILABLE` if the inbox failed or was too late, `OVERLOADED` if it is full.
 */
export async function storeDelivery(
  delivery: Delivery,
  inbox: Pick<Inbox, 'put'>,
  { ordering, signatures, traceparent }: StoreOptions,
  deadline: Deadline,
): Promise<Outcome> {
  const { topic, body, receivedAt } = delivery
  const { byTopic } = await identify(delivery, deadline)
  const id = byTopic ? delivery.id : await bodyIdOf(delivery)
  const group = ordering === 'resource' ? resourceGroup(delivery) : undefined
  const signed = signatures && { signature: await signatures.sign(delivery) }
  const stored = await withTimeout(
    asPromise(() => inbox.put({ id, topic, body, receivedAt, group, ...signed, ...(traceparent && { traceparent }) })),
    deadline.remaining(),
    () => new Error('The inbox did not answer in time.'),
  ).catch((cause: unknown) => {
    throw new WebhookError('STORE_UNAVAILABLE', { cause, hint: 'The inbox failed.' })
  })
  if (stored === 'full') throw new WebhookError('OVERLOADED', { message: 'The inbox is full.' })
  return stored === 'duplicate' ? DUPLICATE : QUEUED
}

/** An invalid document has no resource, and therefore no group. The worker reports what is wrong with it. */
function resourceGroup(delivery: Delivery): string | undefined {
  try {
    const { type, id } = parseDocument(delivery).data
    return `${type}/${id}`
  } catch {
    return undefined
  }
}
