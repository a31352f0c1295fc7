import type { ResourceReference, StageName } from '../drivers.ts'
import type { OutcomeName } from '../index.ts'

/** What a recorder keeps of one attempt: of a request, of a delivery that a worker took, or of a redelivery. */
export interface DeliveryRecord {
  /** Of the recorder's own. The id of a later record sorts after that of an earlier one. */
  readonly id: string
  /** When the request came, or the attempt began. */
  readonly receivedAt: Date
  /** `sender`: no receiver has recorded it. It is what the sender of `hooklayer dev` saw. */
  readonly source: 'request' | 'inbox' | 'redelivery' | 'sender'
  /** Of the request, once its form was checked. It is authenticated unless the outcome is `refused`. */
  readonly topic: string | undefined
  /**
   * `delivery.id`: the same for all attempts of one delivery. In memory it may be `undefined` once the body was
   * dropped.
   */
  readonly deliveryId: string | undefined
  readonly resource: ResourceReference | undefined
  readonly organizationId: string | undefined
  readonly mode: 'test' | 'live' | undefined
  /** `refused`: before it was verified. `failed`: after that. */
  readonly outcome: OutcomeName | 'failed' | 'refused'
  readonly error: RecordedError | undefined
  /** Of the answer; `undefined` where nothing was answered. */
  readonly status: number | undefined
  readonly durationMs: number
  /** As far as the body was read. */
  readonly bodyBytes: number | undefined
  /** Where a worker counts them. */
  readonly attempt: number | undefined
  readonly attempts: number | undefined
  /** How many deliveries of the topic have failed in a row, this one included. */
  readonly consecutiveFailures: number
}

export interface RecordedError {
  /** A code of the receiver, or `PERMANENT` for a `PermanentError` of a handler. */
  readonly code: string
  /** What the code means. */
  readonly message: string
  /** What probably caused a refusal, and what to do. */
  readonly hint: string | undefined
  /** What the handler's error said. */
  readonly cause: string | undefined
}

export interface RecordedStage {
  readonly name: StageName
  readonly durationMs: number
}

export interface RecordedHandler {
  readonly name: string
  /** `running`: it had not ended when the answer was given. */
  readonly outcome: 'handled' | 'failed' | 'discarded' | 'running'
  readonly durationMs: number
  /** The message of its error. */
  readonly error: string | undefined
}

/** Where the bytes that were received differ from those that were signed, as far as that can be told. */
export interface ByteDifference {
  /** Of the first byte that differs, from 0. */
  readonly offset: number
  /** The bytes around the offset as text, at most 120 characters. */
  readonly received: string
  readonly signed: string
}

/** One record with everything that was kept of it. */
export interface RecordDetails extends DeliveryRecord {
  readonly eventId: string | undefined
  readonly method: string | undefined
  /** The signature is cut to its first characters. `authorization` and `cookie` are left out. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The last one is where it ended. */
  readonly stages: readonly RecordedStage[]
  readonly handlers: readonly RecordedHandler[]
  /** As received, or masked; `undefined` if none was read, or if it was dropped to keep within the limits. */
  readonly body: Uint8Array | undefined
  /** Whether personal data in `body` was replaced, so that it is not what was signed. */
  readonly isMasked: boolean
  readonly difference: ByteDifference | undefined
}

/** A record that somebody else has made, for `recorder.add`. */
export interface NewRecord
  extends Pick<RecordDetails, 'receivedAt' | 'source' | 'outcome'>,
    Partial<Omit<RecordDetails, 'id' | 'isMasked' | 'receivedAt' | 'source' | 'outcome'>> {}

/** Which records to list. All members are optional; those that are given must all match. */
export interface RecordQuery {
  /**
   * The number of an order, an email address, or the id of a resource, a delivery or an event: the whole of it, in
   * upper or lower case. Included resources are searched too. In memory, these and email addresses are found as long as
   * the body is kept.
   */
  readonly search?: string | undefined
  readonly topic?: string | undefined
  readonly outcome?: DeliveryRecord['outcome'] | readonly DeliveryRecord['outcome'][] | undefined
  /** Of the error. */
  readonly code?: string | undefined
  readonly source?: DeliveryRecord['source'] | undefined
  /** Received at this time or later. */
  readonly since?: Date | undefined
  /** Received before this time. */
  readonly until?: Date | undefined
  /** Of all attempts of one delivery. */
  readonly deliveryId?: string | undefined
  /** The id of a record, the last one of an earlier page. */
  readonly before?: string | undefined
  /** 1 to 500, default 50. */
  readonly limit?: number | undefined
}

export interface RecordPage {
  /** The newest first. */
  readonly records: readonly DeliveryRecord[]
  /** Whether there are older ones that match. */
  readonly hasMore: boolean
}

/** What was recorded within one span of time. */
export interface RecordedSpan {
  readonly startedAt: Date
  /** How many by outcome. */
  readonly outcomes: Readonly<Partial<Record<DeliveryRecord['outcome'], number>>>
  /** How many refusals and failures by code. */
  readonly codes: Readonly<Record<string, number>>
  /** Of the times of all handlers, in milliseconds; `undefined` if none ran. */
  readonly p50: number | undefined
  readonly p99: number | undefined
}

export interface RecordStatistics {
  /** One for each span from `since` on, empty ones included. */
  readonly spans: readonly RecordedSpan[]
  /** How many attempts could not be recorded, because they came faster than the file could be written. */
  readonly missed: number
  /** How many records there are. */
  readonly records: number
}
