import type { Job, JobsOptions, Queue, Worker } from 'bullmq'
import type { DeadLetter, StoredDelivery } from '../../core/inbox/inbox.ts'
import { compressBody, decompressBody } from '../queue/compressed-body.ts'
import { type DeliveryRecord, type Settlement, WORKER_LOST } from '../queue/queue.ts'

/** What a job holds of a delivery besides its own id, name (the topic) and timestamp (when it was received). */
export interface JobData {
  /** Packed, in base64. Gone once the delivery was handled or discarded. */
  readonly body?: string
  readonly group?: string | undefined
  /** How often its worker had been lost when it was last retried by hand: that does not count any more. */
  readonly forgiven?: number
}

export type DeliveryJob = Job<JobData>

/** A queue of BullMQ, and what takes jobs out of it. */
export interface Lane {
  readonly queue: Queue<JobData>
  readonly worker: Worker<JobData>
}

/** BullMQ asks the job how many attempts there are, and the inbox the worker: the worker decides. */
const MOST_ATTEMPTS = 2 ** 31 - 1

export function toJobData({ body, group }: StoredDelivery): JobData {
  return { body: compressBody(body).toString('base64'), group }
}

/**
 * BullMQ knows a delivery by its deduplication id, which only goes with the job: a time to live of its own keeps it from being
 * forgotten when the job is done.
 */
export function toJobOptions({ id, receivedAt }: StoredDelivery, jobId: string): JobsOptions {
  return {
    jobId,
    deduplication: { id, ttl: 10 * 365 * 24 * 60 * 60 * 1000 },
    timestamp: receivedAt.getTime(),
    attempts: MOST_ATTEMPTS,
    backoff: { type: 'told' },
    stackTraceLimit: 0,
  }
}

/** Whether a job is more than the memory of a delivery that is done with. */
export function hasBody({ data }: DeliveryJob): boolean {
  return data.body !== undefined
}

/** The delivery of a job that {@link hasBody}. */
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

/** What a job keeps of a delivery that is done with. */
export async function removeBody(job: DeliveryJob): Promise<void> {
  await job.updateData({})
}

/** How many attempts have begun, those included whose worker was lost. */
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

/** Why an attempt failed, as BullMQ takes it: it keeps the message with the job, and the inbox nothing else. */
export class FailedAttempt extends Error {
  /** Milliseconds until the next attempt; -1 if there is none. */
  readonly delayMs: number

  constructor(end: Extract<Settlement, { readonly state: 'failed' | 'dead' }>) {
    super(end.state === 'dead' ? JSON.stringify({ error: end.error, attempts: end.attempts }) : '')
    this.delayMs = end.state === 'dead' ? -1 : end.delayMs
  }
}

/** BullMQ's strategy for pauses. */
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
