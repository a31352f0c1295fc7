import { createHash } from 'node:crypto'
import { isWebhookError } from '../core/errors.ts'
import { describeCause } from '../core/inbox/inbox.ts'
import { boundText } from '../core/plain-text.ts'
import type { HandlerRun, HeadersLike, RecordedAttempt, StageName } from '../drivers.ts'
import { type Difference, findDifference, toDifference } from './difference.ts'
import { eventIdOf, parseBody, readSubject } from './read-document.ts'
import type {
  DeliveryRecord,
  NewRecord,
  RecordDetails,
  RecordedError,
  RecordedHandler,
  RecordedStage,
} from './record.ts'

/**
 * A record as it is kept in memory, unmasked. What takes time to compute is computed when somebody reads it: a delivery
 * takes about 90 µs, and its fingerprint alone would take 12 µs more.
 */
export interface KeptRecord
  extends Omit<RecordDetails, 'id' | 'isMasked' | 'receivedAt' | 'headers' | 'stages' | 'difference' | keyof Mutable> {
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly headers: HeadersLike
  /** The name of each stage, followed by its start; and the end of the last one. In milliseconds. */
  readonly marks: readonly (StageName | number)[]
  readonly endedAt: number
  readonly difference: Difference | undefined
  deliveryId: DeliveryRecord['deliveryId']
  eventId: RecordDetails['eventId']
  resource: DeliveryRecord['resource']
  organizationId: DeliveryRecord['organizationId']
  mode: DeliveryRecord['mode']
  body: Uint8Array | undefined
  /** Whether {@link identify} has read the body. */
  isIdentified: boolean
}

type Mutable = Pick<
  KeptRecord,
  'deliveryId' | 'eventId' | 'resource' | 'organizationId' | 'mode' | 'body' | 'isIdentified'
>

/** Of the outcomes, as they are answered. */
const STATUSES = { handled: 200, queued: 202, duplicate: 200, ignored: 200, discarded: 200, failed: 500, refused: 400 }

/** What is kept of an attempt. Objects of the receiver that hold more than a record needs are let go. */
export function keepAttempt(attempt: RecordedAttempt): KeptRecord {
  const { source, request, topic, delivery, parsed, outcome, error, startedAt, durationMs, signedBody } = attempt
  const body = attempt.body && copyIfView(attempt.body)
  return {
    receivedAt: Date.now() - Math.max(0, performance.now() - startedAt),
    source,
    topic,
    // An inbox has computed it. Otherwise it takes too long.
    deliveryId: source === 'inbox' || outcome === 'queued' ? delivery?.id : undefined,
    eventId: undefined,
    resource: parsed?.reference,
    organizationId: parsed?.organizationId,
    mode: parsed?.mode,
    outcome,
    error: error && describeError(error),
    status: source === 'request' ? readStatus(attempt) : undefined,
    durationMs,
    bodyBytes: body?.byteLength,
    attempt: attempt.attempt,
    attempts: attempt.attempts,
    consecutiveFailures: attempt.consecutiveFailures,
    method: request && String(request.method),
    headers: request?.headers ?? [],
    marks: attempt.stages ?? [],
    endedAt: startedAt + durationMs,
    handlers: attempt.handlers?.map(toHandler) ?? [],
    body,
    difference: signedBody && body && findDifference(body, signedBody),
    isIdentified: false,
  }
}

/** The same for a record that somebody else has made. */
export function keepRecord(record: NewRecord): KeptRecord {
  const { receivedAt, body, difference, stages = [], ...given } = record
  return {
    ...{ topic: undefined, deliveryId: undefined, eventId: undefined, resource: undefined, organizationId: undefined },
    ...{ mode: undefined, error: undefined, status: undefined, durationMs: 0, attempt: undefined, attempts: undefined },
    ...{ consecutiveFailures: 0, method: undefined, headers: [], handlers: [] },
    bodyBytes: body?.byteLength,
    ...given,
    body,
    receivedAt: receivedAt.getTime(),
    ...toMarks(stages),
    difference: difference && toDifference(difference),
    isIdentified: false,
  }
}

/**
 * Computes what {@link keepAttempt} has left out, as far as the body is still there.
 *
 * @param document that of the body, if it was parsed before.
 */
export function identify(kept: KeptRecord, document?: unknown): void {
  const { topic, body, outcome } = kept
  if (kept.isIdentified || !body || outcome === 'refused') return
  kept.isIdentified = true
  if (topic) kept.deliveryId ??= createHash('sha256').update(`${topic}\n`).update(body).digest('hex')
  const subject = readSubject(document ?? parseBody(body))
  kept.resource = subject.resource ?? kept.resource
  kept.organizationId ??= subject.organizationId
  kept.mode ??= subject.mode
}

/** Computes the id of the event, if the body is a document. */
export async function identifyEvent(kept: KeptRecord, document?: unknown): Promise<void> {
  const { topic, body, outcome } = kept
  if (kept.eventId !== undefined || !topic || !body || outcome === 'refused') return
  kept.eventId = await eventIdOf(topic, document ?? parseBody(body))
}

/** A row of a list, unmasked. */
export function toRecord(id: string, kept: KeptRecord): DeliveryRecord {
  identify(kept)
  const { receivedAt, eventId, method, headers, handlers, body, difference, ...others } = kept
  const { marks, endedAt, isIdentified, ...row } = others
  return { id, receivedAt: new Date(receivedAt), ...row }
}

/** Bytes that keep no others in memory: Node's small buffers, and those of sockets, are views of larger ones. */
function copyIfView(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.byteLength ? new Uint8Array(bytes) : bytes
}

function describeError(error: NonNullable<RecordedAttempt['error']>): RecordedError {
  const { message, cause } = error
  if (!isWebhookError(error)) {
    return { code: 'PERMANENT', message: 'A handler has discarded it.', hint: undefined, cause: boundText(message) }
  }
  const { code, hint } = error
  return { code, message, hint, cause: cause === undefined ? undefined : boundText(describeCause(cause)) }
}

function readStatus({ outcome, error, ranInBackground }: RecordedAttempt): number {
  if (ranInBackground) return STATUSES.queued
  return isWebhookError(error) ? error.status : STATUSES[outcome]
}

/** Each stage with its duration. */
export function readStages({ marks, endedAt }: Pick<KeptRecord, 'marks' | 'endedAt'>): RecordedStage[] {
  const stages: RecordedStage[] = []
  for (let i = 0; i < marks.length; i += 2) {
    const end = marks[i + 3] ?? endedAt
    stages.push({ name: marks[i] as StageName, durationMs: round(Number(end) - Number(marks[i + 1])) })
  }
  return stages
}

function toMarks(stages: readonly RecordedStage[]): Pick<KeptRecord, 'marks' | 'endedAt'> {
  let endedAt = 0
  const marks = stages.flatMap(({ name, durationMs }) => {
    const startedAt = endedAt
    endedAt += durationMs
    return [name, startedAt]
  })
  return { marks, endedAt }
}

function toHandler({ name, outcome, startedAt, durationMs, thrown }: Readonly<HandlerRun>): RecordedHandler {
  const error = outcome === 'failed' || outcome === 'discarded' ? boundText(describeCause(thrown)) : undefined
  return { name, outcome, durationMs: durationMs ?? round(performance.now() - startedAt), error }
}

/** To the microsecond. */
function round(ms: number): number {
  return Math.max(0, Math.round(ms * 1000) / 1000)
}
