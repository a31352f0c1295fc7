import type { DeliveryRecord, RecordDetails } from '../../recorder/record.ts'
import type { DeliveryDetails, DeliveryItem } from '../api.ts'

/** A row of the list. */
export function toItem(record: DeliveryRecord): DeliveryItem {
  const { id, receivedAt, source, topic, resource, mode, outcome, error, status, durationMs } = record
  const { bodyBytes, attempt, attempts } = record
  return {
    id,
    receivedAt: receivedAt.toISOString(),
    source,
    ...defined({ topic, resource: resource && defined({ ...resource }), mode }),
    outcome,
    durationMs,
    ...defined({ code: error?.code, status, bodyBytes, attempt, attempts }),
  } as DeliveryItem
}

/** What the details need that is not in the record. */
interface DetailsOptions {
  readonly others: readonly DeliveryRecord[]
  readonly hasBody: boolean
  readonly canSendAgain: boolean
  readonly canRedeliver: boolean
}

/** @param details as they are shown. */
export function toDetails(details: RecordDetails, { others, ...options }: DetailsOptions): DeliveryDetails {
  const { deliveryId, eventId, organizationId, consecutiveFailures, error, method, headers, stages } = details
  const { handlers, difference, isMasked } = details
  return {
    ...toItem(details),
    ...defined({ deliveryId, eventId, organizationId, method, difference }),
    consecutiveFailures,
    ...(error && { error: defined({ ...error }) }),
    headers,
    stages: stages.map(({ name, durationMs }) => ({ name, durationMs })),
    handlers: handlers.map((handler) => defined({ ...handler })),
    isMasked,
    otherAttempts: others.map(toItem),
    ...options,
  } as DeliveryDetails
}

/** Without the members that are `undefined`. JSON has none, and they are no part of the types. */
export function defined<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof T]?: Exclude<T[Name], undefined> }
}
