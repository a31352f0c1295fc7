import type { DeliveryCounts } from '../../core/inbox/inbox.ts'

/** A job that is locked with a token, by the name of its queue. */
export interface LockedJob {
  readonly queue: string
  readonly id: string
  readonly token: string
}

/** The jobs of one topic in one state. */
export interface JobCount {
  readonly topic: string
  readonly state: keyof DeliveryCounts
  readonly count: number
  /** The earliest timestamp, in milliseconds since the epoch. */
  readonly oldest: number
}

/** What the list of dead letters shows of a failed job. */
export interface FailedJob {
  readonly id: string
  readonly name: string
  readonly timestamp: number
  readonly finishedOn: number
  readonly failedReason: string
  readonly deduplicationId: string | undefined
  readonly attemptsMade: number
  readonly stalledCounter: number
}

/**
 * What BullMQ has no operation for, or one that is not atomic or is for one job at a time. Each call is one atomic
 * change for each queue, of the same records as BullMQ's own. Queues are given by their names.
 */
export interface EngineJobs {
  /** Completes jobs and deletes their data. For each, whether its token still held it. */
  complete(jobs: readonly LockedJob[]): Promise<readonly boolean[]>
  /** Puts a job back in the place from which it was taken; false if the token does not hold it. */
  giveBack(job: LockedJob): Promise<boolean>
  /** {@link giveBack} for the job that is locked with this token, if there is one. */
  giveBackToken(queue: string, token: string): Promise<unknown>
  /** Lets a job wait until a time, in milliseconds since the epoch; false if the token does not hold it. */
  delay(job: LockedJob, until: number, note: string): Promise<boolean>
  /** {@link delay}, and records the job as one that waits for a worker with a handler. `note` has to say so. */
  setAside(job: LockedJob, topic: string, until: number, note: string): Promise<boolean>
  /** How many jobs wait for a handler, by topic. */
  countUnhandled(): Promise<ReadonlyMap<string, number>>
  /**
   * Puts the oldest jobs of a topic that wait for a handler back in their old places, `count` at most. A `note` takes
   * the place of theirs. Resolves with how many there were.
   */
  callBack(topic: string, count: number, note?: string): Promise<number>
  /** Removes the record of a job that does not wait for a handler any more. */
  forgetUnhandled(queue: string, id: string, topic: string): Promise<unknown>
  /** Counts all jobs that are not completed. */
  count(): Promise<readonly JobCount[]>
  /** Reads failed jobs, without those that have no delivery any more. */
  readFailed(queue: string, ids: readonly string[]): Promise<readonly FailedJob[]>
  /** Completes failed jobs, by the ids of their deliveries, and deletes their data. Resolves with the ids it found. */
  discardFailed(deliveryIds: readonly string[]): Promise<readonly string[]>
}

/** How the note of a job begins that waits for a handler. */
export const UNHANDLED_NOTE = '{"unhandledSince"'
