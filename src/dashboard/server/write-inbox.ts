import type { DeadLetter, DeliveryError, InboxStatistics, ListedDelivery, StoredDelivery } from '../../drivers.ts'
import type { DeadLetterDetails, InboxCounts, InboxError, InboxItem, Resource } from '../api.ts'
import type { Mask } from './mask.ts'
import { defined } from './write-delivery.ts'

export function toCounts({ oldest, ...counts }: InboxStatistics): InboxCounts {
  return { ...counts, ...defined({ oldest: oldest?.toISOString() }) }
}

/**
 * @param body if it was read: what is hidden in it is hidden in the error too. Without it, no text of a handler is
 * shown.
 */
export function toInboxItem(listed: ListedDelivery, mask: Mask, body?: Uint8Array): InboxItem {
  const { id, topic, state, receivedAt, attempts, maxAttempts, nextAttemptAt, failedAt, resource, error } = listed
  return {
    id,
    topic,
    state,
    receivedAt: receivedAt.toISOString(),
    attempts,
    ...defined({
      maxAttempts,
      nextAttemptAt: nextAttemptAt?.toISOString(),
      failedAt: failedAt?.toISOString(),
      resource: resource && (defined({ ...resource }) as Resource),
      error: error && toInboxError(error, mask, body),
    }),
  }
}

export function toDeadLetter(
  { delivery, ...deadLetter }: DeadLetter & { readonly delivery: StoredDelivery },
  mask: Mask,
): DeadLetterDetails {
  const listed = { ...deadLetter, state: 'dead' as const, ageMs: Date.now() - deadLetter.receivedAt.getTime() }
  return {
    ...toInboxItem(listed, mask, delivery.body),
    ...defined({ document: mask.document(delivery.body) }),
    isMasked: mask.isOn,
    bodyBytes: delivery.body.byteLength,
  }
}

function toInboxError({ code, message, handler, cause }: DeliveryError, mask: Mask, body?: Uint8Array): InboxError {
  const isHidden = mask.isOn && body === undefined
  return {
    code,
    // The message of a `PermanentError` is the handler's own.
    message: isHidden && code === 'PERMANENT' ? 'The handler has given it up.' : mask.text(message, body),
    ...defined({ handler, cause: cause === undefined || isHidden ? undefined : mask.text(cause, body) }),
  }
}
