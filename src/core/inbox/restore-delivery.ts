import { WebhookError } from '../errors.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import { type Delivery, toDelivery } from '../verify/delivery.ts'
import type { Secrets } from '../verify/secrets.ts'
import { isStoredTopic, type StoredDelivery } from './inbox.ts'
import type { StoredSignatures } from './stored-signatures.ts'

/**
 * Makes a delivery of what an inbox or a queue hands out. Its form is checked again, because others may be able to
 * write to the database.
 *
 * @throws WebhookError `TOPIC_INVALID`, `BODY_DAMAGED`, or `SIGNATURE_MISMATCH` with `verifyStored`; at once or as a
 * rejection.
 */
export function restoreDelivery(
  stored: Omit<StoredDelivery, 'id' | 'group'>,
  signatures: StoredSignatures | undefined,
  secrets: Secrets,
): MaybePromise<Delivery> {
  const { topic, body, receivedAt } = stored
  if (!isStoredTopic(topic)) throw new WebhookError('TOPIC_INVALID', { message: 'The stored topic is malformed.' })
  if (!ArrayBuffer.isView(body)) {
    throw new WebhookError('BODY_DAMAGED', { message: 'The body that was stored is not a Uint8Array.' })
  }
  if (!(receivedAt instanceof Date) || Number.isNaN(receivedAt.getTime())) {
    throw new WebhookError('BODY_DAMAGED', { message: 'The `receivedAt` that was stored is not a date.' })
  }
  const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  return pipe(signatures?.verify(stored), () => toDelivery(topic, bytes, receivedAt, secrets))
}
