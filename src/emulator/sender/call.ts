import { bulkhead } from 'cockatiel'
import { createDeliveryHeaders } from '../../wire/headers.ts'
import type { EventCallbackRecord, Records, WebhookRecord } from '../records.ts'
import { countCall, isCallable } from './circuit.ts'
import { type Delivery, isDecoy } from './delivery.ts'
import { recordAnswer, recordCall } from './event-callback.ts'
import { type Answer, createPoster } from './post.ts'

/** A call that has ended. */
export interface Call {
  readonly record: EventCallbackRecord
  readonly isSuccess: boolean
}

/** Makes the calls of deliveries, records them and counts their failures. */
export interface Caller {
  /** Makes one call, or none if the webhook is deleted, disabled or open when the call starts. Never rejects. */
  call(delivery: Delivery): Promise<Call | undefined>
  /** Ends all calls, and makes no more. */
  close(): void
}

export interface CallerOptions {
  readonly records: Records
  readonly timeoutMs: number
  /** Is called when a failure opens the circuit of a webhook. */
  readonly onOpenCircuit: (webhook: WebhookRecord) => void
  /** Is called when a call has ended. */
  readonly onCall: (call: EndedCall) => void
}

/** A call with what was sent and what came back. */
export interface EndedCall {
  readonly record: EventCallbackRecord
  readonly delivery: Delivery
  readonly answer: Answer
  readonly durationMs: number
}

/** The maximum number of open calls of a sender. More calls wait. */
const MAX_OPEN_CALLS = 256

export function createCaller({ records, timeoutMs, onOpenCircuit, onCall }: CallerOptions): Caller {
  const poster = createPoster(timeoutMs)
  const openCalls = bulkhead(MAX_OPEN_CALLS, Number.POSITIVE_INFINITY)
  let isClosed = false

  async function call(delivery: Delivery): Promise<Call | undefined> {
    const { webhook, payload, chunking } = delivery
    if (isClosed || !isCallable(records, webhook)) return undefined
    const record = recordCall(records, delivery)
    const headers = createDeliveryHeaders(delivery.topic, delivery.signature)
    const startedAt = performance.now()
    const answer = await poster.post({ url: record.callback_url, headers, body: payload.body, chunking })
    recordAnswer(record, answer)
    const { status = 0 } = answer
    const isSuccess = status >= 200 && status < 300
    if (!isDecoy(delivery) && countCall(webhook, isSuccess)) onOpenCircuit(webhook)
    onCall({ record, delivery, answer, durationMs: performance.now() - startedAt })
    return { record, isSuccess }
  }

  return {
    call: (delivery) => openCalls.execute(() => call(delivery)),
    close() {
      isClosed = true
      poster.close()
    },
  }
}
