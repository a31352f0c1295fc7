import type { Job, JobsOptions, Queue, Worker } from 'bullmq'
import type { DeadLetter, StoredDelivery } from '../../core/inbox/inbox.ts'
import { compressBody, decompressBody } from '../queue/compressed-body.ts'
import { type DeliveryRecord, type Settlement, WORKER_LOST } from '../queue/queue.ts'

/** The data of a job. Its name is the topic, and its timestamp is when the delivery was received. */
export interface JobData {
  /** The compressed body in base64; absent once the delivery was handled or discarded. */
  readonly body?: string
  readonly group?: string | undefined
  /** How many workers had been lost when the dead letter was last retried. These do not count any more. */
  readonly forgiven?: number
}

export type DeliveryJob = Job<JobData>

/** A queue of BullMQ, and the worker that takes jobs from it. */
export interface Lane {
  readonly queue: Queue<JobData>
  readonly worker: Worker<JobData>
}

/** A job that this process has locked with a token. */
export interface LeasedJob {
  readonly job: DeliveryJob
  readonly lane: Lane
  readonly token: string
}

/** BullMQ limits the attempts of each job. Here the worker decides, so the job's own limit must never be reached. */
const MAX_ATTEMPTS = 2 ** 31 - 1

export function toJobData({ body, group }: StoredDelivery): JobData {
  return { body: compressBody(body).toString('base64'), group }
}

/**
 * BullMQ recognizes a delivery by its deduplication id. Without a time to live BullMQ would delete that id when the job
 * completes; with one it stays until the job is removed.
 */
export function toJobOptions({ id, receivedAt }: StoredDelivery, jobId: string): JobsOptions {
  return {
    jobId,
    deduplication: { id, ttl: 10 * 365 * 24 * 60 * 60 * 1000 },
    timestamp: receivedAt.getTime(),
    attempts: MAX_ATTEMPTS,
    backoff: { type: 'told' },
    stackTraceLimit: 0,
  }
}

/** Whether a job still has its delivery; otherwise only its id is kept, to recognize duplicates. */
export function hasBody({ data }: DeliveryJob): boolean {
  return data.body !== undefined
}

/** For a job that {@link hasBody}. */
export function toDeliveryRecord({
  deduplicationId: id = '',
  name: topic,
  data,
  timestamp,
}: DeliveryJob): DeliveryRecord {
  const packed = Buffer.from(data.body ?? '', 'base64')
  const whole = decompressBody(packed)
  const delivery = { id, topic, body: whole ?? packed, receivedAt: new Date(timestamp), group: data.group }
  return { delivery, isDamaged: whole === undefined }
}

/** Reduces a job to the id of its delivery. */
export async function removeBody(job: DeliveryJob): Promise<void> {
  await job.updateData({})
}

/** How many attempts have started, including those whose worker was lost. */
export function countAttempts({ attemptsMade, stalledCounter, data }: DeliveryJob): number {
  return attemptsMade + stalledCounter - (data.forgiven ?? 0)
}

export function toDeadLetter(job: DeliveryJob): DeadLetter {
  const { deduplicationId: id = '', name: topic, timestamp, finishedOn = 0 } = job
  return {
    id,
    topic,
    receivedAt: new Date(timestamp),
    failedAt: new Date(finishedOn),
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

/** BullMQ's backoff strategy: the pause that the settlement names. */
export function backoffStrategy(_attempt: number, _type?: string, error?: Error): number {
  return error instanceof FailedAttempt ? error.delayMs : -1
}

function parseFailure(reason: string): Pick<DeadLetter, 'error'> & Partial<Pick<DeadLetter, 'attempts'>> {
  try {
    const { error, attempts } = JSON.parse(reason) as Pick<DeadLetter, 'error' | 'attempts'>
    return { error, attempts }
  } catch {
    return { error: WORKER_LOST }
  }
}
