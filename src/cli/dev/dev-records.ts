import type { EmulatedCall } from 'hooklayer/emulator'
import { findByteDifference, type NewRecord, type RecordDetails, type Recorder } from 'hooklayer/recorder'
import { isSuccess } from '../terminal/output.ts'
import { OTHER_SECRET_OR_BODY } from './explain-refusal.ts'
import type { CallReport } from './report-call.ts'

/** Matches what a receiver has recorded with what was sent to it. */
export interface DevRecords extends Pick<Recorder, 'list' | 'get' | 'statistics' | 'subscribe'> {
  /** Takes in what the recorder of a receiver has sent. */
  addRecords(records: readonly NewRecord[]): void
  /** Notes a call. If no receiver has recorded it within a moment, it is recorded as the sender saw it. */
  addCall(call: EmulatedCall, report: CallReport): void
  close(): void
}

/** A recorder in the receiver sends what it has within some hundred milliseconds. */
const WAIT_MS = 1000
/** Both are of this machine, and a `Date` has whole milliseconds. */
const TOLERANCE_MS = 50
/** How many calls are remembered, to compare what was sent with what was received. */
const MAX_CALLS = 1000

interface Call {
  readonly topic: string
  readonly body: Uint8Array
  readonly startedAt: number
  readonly endedAt: number
  /** Why it was refused, as the sender sees it. */
  readonly reason: string | undefined
}

interface Arrival extends Pick<NewRecord, 'topic'> {
  readonly at: number
}

export function createDevRecords(recorder: Recorder): DevRecords {
  const calls: Call[] = []
  let unmatched: Arrival[] = []
  const timers = new Set<ReturnType<typeof setTimeout>>()

  /** Whether a receiver has recorded the call. Each record stands for one call. */
  function match(call: Call): boolean {
    const found = unmatched.findIndex(({ at, topic }) => isWithin(at, call) && (topic ?? call.topic) === call.topic)
    if (found !== -1) unmatched.splice(found, 1)
    return found !== -1
  }

  function later(act: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      act()
    }, WAIT_MS)
    timers.add(timer)
  }

  return {
    list: recorder.list,
    statistics: recorder.statistics,
    subscribe: recorder.subscribe,
    async get(id) {
      const details = await recorder.get(id)
      return details && compare(details, calls)
    },
    addRecords(records) {
      for (const record of records) {
        recorder.add(record)
        if (record.source === 'request') unmatched.push({ at: record.receivedAt.getTime(), topic: record.topic })
      }
      unmatched = unmatched.slice(-MAX_CALLS)
    },
    addCall({ eventCallback, topic, body, durationMs, signature }, report) {
      const endedAt = Date.parse(eventCallback.updated_at)
      const call = { topic, body, startedAt: endedAt - durationMs, endedAt, reason: report.reason }
      calls.push(call)
      if (calls.length > MAX_CALLS) calls.shift()
      later(() => {
        if (!match(call)) recorder.add(toRecord(call, report, signature))
      })
    },
    close() {
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

function isWithin(at: number, { startedAt, endedAt }: Call): boolean {
  return at >= startedAt - TOLERANCE_MS && at <= endedAt + TOLERANCE_MS
}

/** The bytes that were signed are known here, so the difference needs no guess. */
function compare(details: RecordDetails, calls: readonly Call[]): RecordDetails {
  const { error, body, topic, receivedAt } = details
  if (error?.code !== 'SIGNATURE_MISMATCH' || body === undefined) return details
  const sent = calls.filter((call) => call.topic === topic && isWithin(receivedAt.getTime(), call))
  const differences = sent.map((call) => findByteDifference(body, call.body))
  const same = sent[differences.indexOf(undefined)]
  // One of the calls of this moment has just these bytes: then the secret is another one.
  if (same) return { ...details, error: { ...error, hint: explainSameBytes(same.reason) ?? error.hint } }
  return sent.length === 0 ? details : { ...details, difference: differences[0] }
}

function explainSameBytes(reason: string | undefined): string | undefined {
  const sure = 'They arrived as they were sent, so the receiver has another secret for this topic.'
  return reason?.replace(OTHER_SECRET_OR_BODY, sure)
}

const OUTCOMES = ['handled', 'queued', 'duplicate', 'ignored', 'discarded'] as const

interface SentResource {
  readonly type: string
  readonly id: string
  readonly attributes?: { readonly number?: unknown }
}

/** What a call looks like from outside of the receiver. */
function toRecord({ topic, body, startedAt }: Call, report: CallReport, signature: string): NewRecord {
  const { status, answer, reason, durationMs } = report
  const { data } = JSON.parse(new TextDecoder().decode(body)) as { readonly data: SentResource }
  const number = data.type === 'orders' ? data.attributes?.number : undefined
  const isFine = isSuccess(status)
  const outcome = OUTCOMES.find((one) => one === answer) ?? 'handled'
  const code = /^[A-Z_]+$/.test(answer) ? answer : status === 0 ? 'NO_ANSWER' : `HTTP_${status}`
  return {
    source: 'sender',
    receivedAt: new Date(startedAt),
    topic,
    resource: { type: data.type, id: data.id, ...(typeof number === 'string' && { number }) },
    outcome: isFine ? outcome : status >= 500 ? 'failed' : 'refused',
    status: status === 0 ? undefined : status,
    durationMs,
    bodyBytes: body.byteLength,
    method: 'POST',
    headers: [
      ['x-commercelayer-topic', topic],
      ['x-commercelayer-signature', `${signature.slice(0, 8)}…`],
    ],
    body,
    ...(!isFine && { error: { code, message: answer, hint: reason, cause: undefined } }),
  }
}
