import type { DeadLetter, DeliveryError, InboxStatistics, ListedDelivery, StoredDelivery } from '../../drivers.ts'
import type { DeadLetterDetails, InboxCounts, InboxError, InboxItem, Resource } from '../api.ts'
import type { Mask } from './mask.ts'
import { defined } from './write-delivery.ts'

export function toCounts({ oldest, ...counts }: InboxStatistics): InboxCounts {
  return { ...counts, ...defined({ oldest: oldest?.toISOString() }) }
}

export function toInboxItem(listed: ListedDelivery, mask: Mask): InboxItem {
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
      error: error && toInboxError(error, mask),
    }),
  }
}

export function toDeadLetter(
  { delivery, ...deadLetter }: DeadLetter & { readonly delivery: StoredDelivery },
  mask: Mask,
): DeadLetterDetails {
  const listed = { ...deadLetter, state: 'dead' as const, ageMs: Date.now() - deadLetter.receivedAt.getTime() }
  return {
    ...toInboxItem(listed, mask),
    ...defined({ document: readDocument(delivery.body, mask) }),
    isMasked: mask.isOn,
    bodyBytes: delivery.body.byteLength,
  }
}

function toInboxError({ code, message, handler, cause }: DeliveryError, mask: Mask): InboxError {
  return {
    code,
    message: mask.text(message),
    ...defined({ handler, cause: cause === undefined ? undefined : mask.text(cause) }),
  }
}

function readDocument(body: Uint8Array, mask: Mask): unknown {
  try {
    return mask.document(JSON.parse(new TextDecoder().decode(body)))
  } catch {
    return undefined
  }
}
