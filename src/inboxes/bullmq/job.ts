import type { Job, JobsOptions, Queue, Worker } from 'bullmq'
import type { DeadLetter, StoredDelivery } from '../../core/inbox/inbox.ts'
import { compressBody, decompressBody, MAX_STORED_BYTES } from '../queue/compressed-body.ts'
import { type DeliveryRecord, type Settlement, WORKER_LOST } from '../queue/queue.ts'

/** The data of a job. Its name is the topic, and its timestamp is when the delivery was received. */
export interface JobData {
  /** The compressed body in base64; absent once the delivery was handled or discarded. */
  readonly body?: string
  readonly group?: string | undefined
  readonly signature?: string | undefined
  /** How many workers had been lost when the dead letter was last retried. These do not count any more. */
  readonly forgiven?: number
}

export type DeliveryJob = Job<JobData>

/** A queue of BullMQ, and the worker that takes jobs from it. */
export interface Lane {
  readonly queue: Queue<JobData>
  readonly worker: LaneWorker
}

export interface LaneWorker extends Worker<JobData> {
  /** When the next delayed job of the lane is due, in milliseconds since the epoch, as of the last look; 0 if none is. */
  readonly dueAt: number
}

/** A job that this process has locked with a token. */
export interface LeasedJob {
  readonly job: DeliveryJob
  readonly lane: Lane
  readonly token: string
}

/** BullMQ limits the attempts of each job. Here the worker decides, so the job's own limit must never be reached. */
const MAX_ATTEMPTS = 2 ** 31 - 1

export function toJobData({ body, group, signature }: StoredDelivery): JobData {
  return { body: compressBody(body).toString('base64'), group, signature }
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
export function toDeliveryId({ deduplicationId, id }: DeliveryJob): string {
  return deduplicationId || (id ?? '')
}

/** For a job that {@link hasBody}. Whoever can write to the engine can write any data, so nothing of it is trusted. */
export function toDeliveryRecord(job: DeliveryJob): DeliveryRecord {
  const { body, group, signature }: Readonly<Record<string, unknown>> = isRecord(job.data) ? job.data : {}
  const packed = typeof body === 'string' && body.length <= MAX_TEXT ? Buffer.from(body, 'base64') : Buffer.alloc(0)
  const whole = decompressBody(packed)
  const delivery = {
    id: toDeliveryId(job),
    topic: toTopic(job),
    body: whole ?? packed,
    receivedAt: toDate(job.timestamp),
    group: readGroup(job),
    ...(signature !== undefined && { signature: String(signature) }),
  }
  const isWhole = isTime(job.timestamp) && Boolean(job.deduplicationId) && group === delivery.group
  return { delivery, isDamaged: whole === undefined || !isWhole }
}

/** The group of a job; `undefined` if it has none, or something that is none. */
export function readGroup({ data }: DeliveryJob): string | undefined {
  return isRecord(data) && typeof data.group === 'string' ? data.group : undefined
}

/** The longest body in base64. */
const MAX_TEXT = Math.ceil(MAX_STORED_BYTES / 3) * 4

function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

function toTopic({ name }: DeliveryJob): string {
  return typeof name === 'string' ? name : ''
}

/** The epoch for a time that is none. */
function toDate(time: number): Date {
  return new Date(isTime(time) ? time : 0)
}

function isTime(time: number): boolean {
  return !Number.isNaN(new Date(time).getTime())
}

/** Reduces a job to the id of its delivery. */
export async function removeBody(job: DeliveryJob): Promise<void> {
  await job.updateData({})
}

/** How many attempts have started, including those whose worker was lost. */
export function countAttempts({ attemptsMade, stalledCounter, data }: DeliveryJob): number {
  const forgiven = isRecord(data) ? Number(data.forgiven ?? 0) : 0
  const count = attemptsMade + stalledCounter - forgiven
  return Number.isSafeInteger(count) ? Math.max(0, count) : 0
}

/** Makes the workers that were lost with a job count no more. */
export async function forgiveLosses(job: DeliveryJob): Promise<void> {
  await job.updateData({ ...job.data, forgiven: job.stalledCounter })
}

export function toDeadLetter(job: DeliveryJob): DeadLetter {
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

  constructor(settlement: Extract<Settlement, { readonly state: 'failed' | 'dead' }>) {
    const isDead = settlement.state === 'dead'
    super(isDead ? JSON.stringify({ error: settlement.error, attempts: settlement.attempts }) : '')
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
function parseFailure(reason: string): Pick<DeadLetter, 'error'> & Partial<Pick<DeadLetter, 'attempts'>> {
  try {
    const { error, attempts } = JSON.parse(reason)
    const { code, message } = error
    if (typeof code !== 'string' || typeof message !== 'string') return { error: WORKER_LOST }
    return { error: { code, message }, ...(Number.isSafeInteger(attempts) && { attempts }) }
  } catch {
    return { error: WORKER_LOST }
  }
}
