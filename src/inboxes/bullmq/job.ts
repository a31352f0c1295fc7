import { randomUUID } from 'node:crypto'
import type { Job, JobJson, JobsOptions, Queue, Worker } from 'bullmq'
import type { DeadLetter, StoredDelivery } from '../../core/inbox/inbox.ts'
import { compressBody, decompressBody, MAX_STORED_BYTES } from '../queue/compressed-body.ts'
import {
  type AttemptFailure,
  type DeliveryRecord,
  type ScannedDelivery,
  type Settlement,
  WORKER_LOST,
} from '../queue/queue.ts'
import { parseRecord, readFailure } from '../queue/stored-failure.ts'
import type { JobRecord } from './engine-jobs.ts'

/** The data of a job. Its name is the topic, and its timestamp is when the delivery was received. */
export interface JobData {
  /** The compressed body in base64; absent once the delivery was handled or discarded. */
  readonly body?: string
  readonly group?: string | undefined
  readonly signature?: string | undefined
  readonly traceparent?: string | undefined
  /** How many workers had been lost when the dead letter was last retried. These do not count any more. */
  readonly forgiven?: number
}

export type DeliveryJob = Job<JobData>

/** A queue of BullMQ, and the worker that takes jobs from it. */
export interface Lane {
  readonly queue: Queue<JobData>
  readonly worker: LaneWorker
}

interface LaneWorker extends Worker<JobData> {
  /** When the next delayed job of the lane is due, in milliseconds since the epoch, as of the last look; 0 if none is. */
  readonly dueAt: number
  /** Makes a job of what was read of it. */
  toJob(json: JobJson): DeliveryJob
}

/** A job that this process has locked with a token. */
export interface LeasedJob {
  readonly job: DeliveryJob
  readonly lane: Lane
  readonly token: string
}

/** BullMQ limits the attempts of each job. Here the worker decides, so the job's own limit must never be reached. */
const MAX_ATTEMPTS = 2 ** 31 - 1

export function toJobData({ body, group, signature, traceparent }: StoredDelivery): JobData {
  return { body: compressBody(body).toString('base64'), group, signature, traceparent }
}

let lastTime = 0
let lastCount = 0

/** A UUID of version 7, so that ids are in the order of time: those of this process exactly, others by milliseconds. */
export function createJobId(): string {
  const now = Date.now()
  lastCount = now > lastTime ? 0 : lastCount + 1
  // 4,096 ids a millisecond, also after the clock was set back.
  lastTime = Math.max(now, lastTime) + (lastCount >> 12)
  lastCount %= 4096
  const time = lastTime.toString(16).padStart(12, '0')
  const count = lastCount.toString(16).padStart(3, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${randomUUID().slice(19)}`
}

/** The data of a job whose own data is not JSON. A body that has no checksum is damaged. */
export function toDamagedData(data: string): string {
  return JSON.stringify({ body: Buffer.from(data).toString('base64') } satisfies JobData)
}

/** The options of every job. What a job says of itself is not used, because others may have written it. */
const JOB_OPTIONS = { attempts: MAX_ATTEMPTS, backoff: { type: 'told' }, stackTraceLimit: 0 }

/**
 * BullMQ recognizes a delivery by its deduplication id. Without a time to live BullMQ would delete that id when the job
 * completes; with one it stays until the job is removed.
 */
export function toJobOptions({ id, receivedAt }: StoredDelivery, jobId: string): JobsOptions {
  return {
    ...JOB_OPTIONS,
    jobId,
    deduplication: { id, ttl: 10 * 365 * 24 * 60 * 60 * 1000 },
    timestamp: receivedAt.getTime(),
  }
}

/** Gives a job that was taken the options that it should have, and no parent. */
export function resetOptions(job: DeliveryJob): void {
  job.opts = { ...JOB_OPTIONS, ...(job.id !== undefined && { jobId: job.id }) }
  Object.assign(job, { parent: undefined, parentKey: undefined })
}

/** Whether a job still has its delivery; otherwise only its id is kept, to recognize duplicates. */
export function hasBody({ data }: DeliveryJob): boolean {
  return !isRecord(data) || Object.keys(data).length > 0
}

/** The id of a delivery. A job that somebody else has added may have none: then it is the id of the job. */
export function toDeliveryId({
  deduplicationId,
  id,
}: Pick<DeliveryJob, 'id'> & { readonly deduplicationId?: string | undefined }): string {
  return deduplicationId || (id ?? '')
}

/** For a job that {@link hasBody}. Whoever can write to the engine can write any data, so nothing of it is trusted. */
export function toDeliveryRecord(job: DeliveryJob): DeliveryRecord {
  const { group, signature, traceparent }: Readonly<Record<string, unknown>> = isRecord(job.data) ? job.data : {}
  const packed = readPacked(job.data)
  const whole = decompressBody(packed)
  const delivery = {
    id: toDeliveryId(job),
    topic: toTopic(job),
    body: whole ?? packed,
    receivedAt: toDate(job.timestamp),
    group: readGroup(job),
    ...(signature !== undefined && { signature: String(signature) }),
    ...(traceparent !== undefined && { traceparent: String(traceparent) }),
  }
  const isWhole = isTime(job.timestamp) && Boolean(job.deduplicationId) && group === delivery.group
  return { delivery, isDamaged: whole === undefined || !isWhole }
}

/** The body that is in the data of a job; `undefined` if it is damaged. */
export function readBody(data: unknown): Uint8Array | undefined {
  return decompressBody(readPacked(data))
}

function readPacked(data: unknown): Buffer {
  const body = isRecord(data) ? data.body : undefined
  return typeof body === 'string' && body.length <= MAX_TEXT ? Buffer.from(body, 'base64') : Buffer.alloc(0)
}

/** The group of a job; `undefined` if it has none, or something that is none. */
export function readGroup({ data }: { readonly data?: unknown }): string | undefined {
  return isRecord(data) && typeof data.group === 'string' ? data.group : undefined
}

/** The longest body in base64. */
const MAX_TEXT = Math.ceil(MAX_STORED_BYTES / 3) * 4

function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

function toTopic({ name }: Pick<DeliveryJob, 'name'>): string {
  return typeof name === 'string' ? name : ''
}

/** The epoch for a time that is none. */
function toDate(time: number): Date {
  return new Date(isTime(time) ? time : 0)
}

function isTime(time: number): boolean {
  return !Number.isNaN(new Date(time).getTime())
}

/** How many attempts have started, including those whose worker was lost. */
export function countAttempts(job: Pick<DeliveryJob, 'attemptsMade' | 'stalledCounter'> & { data?: unknown }): number {
  return toCount(job.attemptsMade + job.stalledCounter - readForgiven(job.data))
}

/** How many workers were lost with a job since it was stored or retried. */
export function countLosses({ stalledCounter, data }: DeliveryJob): number {
  return toCount(stalledCounter - readForgiven(data))
}

/** Whether a worker was lost with a job since its last attempt that has a result. */
export function isLost(job: DeliveryJob): boolean {
  return job.stalledCounter > Math.max(readNote(job).losses ?? 0, readForgiven(job.data))
}

function readForgiven(data: unknown): number {
  return isRecord(data) ? Number(data.forgiven ?? 0) : 0
}

function toCount(count: number): number {
  return Number.isSafeInteger(count) ? Math.max(0, count) : 0
}

/** What a job that waits says of itself, in the place of the reason for which it has failed. */
export interface JobNote {
  /** Since when it waits for a worker with a handler, in milliseconds since the epoch. */
  readonly unhandledSince?: number
  /** How many workers had been lost with it when its last attempt got a result. */
  readonly losses?: number
  /** The last attempt that failed. */
  readonly failure?: AttemptFailure | undefined
}

/** `unhandledSince` is first, as {@link UNHANDLED_NOTE} has it. */
export function toNote({ unhandledSince, losses, failure }: JobNote): string {
  return JSON.stringify({ unhandledSince, losses, ...failure })
}

/** The note for a job whose attempt has a result: with its `failure`, or with that of the attempt before. */
export function noteAttempt(job: DeliveryJob, failure?: AttemptFailure): string {
  return toNote({ losses: job.stalledCounter, failure: failure ?? readNote(job).failure })
}

/** A job that was stored by an earlier version, or that somebody else has written, may have none. */
export function readNote({ failedReason }: Pick<DeliveryJob, 'failedReason'>): JobNote {
  const { unhandledSince, losses, ...kept } = parseRecord(failedReason)
  return {
    failure: readFailure(kept),
    ...(Number.isSafeInteger(unhandledSince) && { unhandledSince: Number(unhandledSince) }),
    ...(Number.isSafeInteger(losses) && { losses: Number(losses) }),
  }
}

/** Makes the workers that were lost with a job count no more. */
export async function forgiveLosses(job: DeliveryJob): Promise<void> {
  await job.updateData({ ...job.data, forgiven: job.stalledCounter })
}

export function toScanned(job: JobRecord): ScannedDelivery {
  if (job.state === 'dead') return { ...toDeadLetter(job), state: 'dead' }
  return {
    id: toDeliveryId(job),
    topic: toTopic(job),
    state: job.state,
    receivedAt: toDate(job.timestamp),
    attempts: countAttempts(job) + (job.state === 'running' ? 1 : 0),
    ...(job.state === 'failed' && { nextAttemptAt: toDate(job.dueAt) }),
    ...readNote(job).failure,
  }
}

export function toDeadLetter(job: DeliveryJob | JobRecord): DeadLetter {
  return {
    id: toDeliveryId(job),
    topic: toTopic(job),
    receivedAt: toDate(job.timestamp),
    failedAt: toDate(job.finishedOn ?? 0),
    attempts: countAttempts(job),
    ...parseFailure(job.failedReason),
  }
}

/** The error that is given to BullMQ for an attempt that failed. BullMQ stores its message with the job. */
export class FailedAttempt extends Error {
  /** Milliseconds until the next attempt; -1 if there is none. */
  readonly delayMs: number

  constructor(settlement: Extract<Settlement, { readonly state: 'failed' | 'dead' }>, note: string) {
    const isDead = settlement.state === 'dead'
    const { state, ...failure } = settlement
    super(isDead ? JSON.stringify(failure) : note)
    this.delayMs = isDead ? -1 : settlement.delayMs
  }
}

/**
 * Whether an error of BullMQ says that the job is missing, in another state or locked by others, and not that the
 * engine failed.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code < 0
}

/** Whether an error says that a job could not be parsed, because somebody else has written it. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof SyntaxError || error instanceof TypeError
}

/** BullMQ's backoff strategy: the pause that the settlement names. */
export function backoffStrategy(_attempt: number, _type?: string, error?: Error): number {
  return error instanceof FailedAttempt ? error.delayMs : -1
}

/** BullMQ's own reasons are other texts: that the job has stalled. */
function parseFailure(reason: string): Pick<DeadLetter, 'error' | 'resource'> & Partial<Pick<DeadLetter, 'attempts'>> {
  const kept = parseRecord(reason)
  const failure = readFailure(kept)
  if (!failure) return { error: WORKER_LOST }
  return { ...failure, ...(Number.isSafeInteger(kept.attempts) && { attempts: Number(kept.attempts) }) }
}
