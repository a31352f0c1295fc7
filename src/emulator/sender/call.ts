import { bulkhead } from 'cockatiel'
import { deliveryHeaders } from '../../wire/headers.ts'
import type { EventCallbackRecord, Records, WebhookRecord } from '../records.ts'
import { countCall, isCallable } from './circuit.ts'
import { type Delivery, isDecoy } from './delivery.ts'
import { recordAnswer, recordCall } from './event-callback.ts'
import { createPoster } from './post.ts'

/** A call that has ended. */
export interface Call {
  readonly record: EventCallbackRecord
  readonly isSuccess: boolean
}

/** Makes the calls of deliveries, and keeps the books. */
export interface Caller {
  /** One call; none if the webhook cannot be called any more when it is its turn. Never rejects. */
  call(delivery: Delivery): Promise<Call | undefined>
  /** Ends the calls that are under way, and makes no more. */
  close(): void
}

export interface CallerOptions {
  readonly records: Records
  readonly timeoutMs: number
  readonly onOpenCircuit: (webhook: WebhookRecord) => void
}

/** How many calls a sender has open at once; the others wait for their turn. */
const MAX_OPEN_CALLS = 256

export function createCaller({ records, timeoutMs, onOpenCircuit }: CallerOptions): Caller {
  const poster = createPoster(timeoutMs)
  const turns = bulkhead(MAX_OPEN_CALLS, Number.POSITIVE_INFINITY)
  let isClosed = false

  async function call(delivery: Delivery): Promise<Call | undefined> {
    const { webhook, payload, chunking } = delivery
    if (isClosed || !isCallable(records, webhook)) return undefined
    const record = recordCall(records, delivery)
    const headers = deliveryHeaders(delivery.topic, delivery.signature)
    const answer = await poster.post({ url: record.callback_url, headers, body: payload.body, chunking })
    recordAnswer(record, answer)
    const { status = 0 } = answer
    const isSuccess = status >= 200 && status < 300
    if (!isDecoy(delivery) && countCall(webhook, isSuccess)) onOpenCircuit(webhook)
    return { record, isSuccess }
  }

  return {
    call: (delivery) => turns.execute(() => call(delivery)),
    close() {
      isClosed = true
      poster.close()
    },
  }
}
