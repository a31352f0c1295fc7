import { randomId } from '../../wire/samples/ids.ts'
import type { EventCallbackRecord, Records } from '../records.ts'
import type { Delivery } from './delivery.ts'
import type { Answer } from './post.ts'

/** Adds the event callback of a call that is about to start. */
export function recordCall(records: Records, { event, webhook, payload, fault }: Delivery): EventCallbackRecord {
  const now = new Date().toISOString()
  const record: EventCallbackRecord = {
    id: randomId(),
    type: 'event_callbacks',
    callback_url: webhook.callback_url,
    payload: payload.document,
    response_code: null,
    response_message: null,
    created_at: now,
    updated_at: now,
    reference: null,
    reference_origin: null,
    metadata: fault === undefined ? {} : { fault },
    webhook,
    event,
  }
  records.eventCallbacks.set(record.id, record)
  return record
}

/** Adds the answer to the event callback of a call that has ended. */
export function recordAnswer(record: EventCallbackRecord, { status, message }: Answer): void {
  record.response_code = status === undefined ? null : String(status)
  record.response_message = message
  record.updated_at = new Date().toISOString()
}
