import type { JobJson } from 'bullmq'
import type { DeliveryState } from '../../core/inbox/listing.ts'

/** A job that is locked with a token, by the name of its queue. */
export interface LockedJob {
  readonly queue: string
  readonly id: string
  readonly token: string
}

/** A job that was taken, and the token that it is locked with. */
export interface TakenJob {
  readonly job: JobJson
  readonly token: string
}

/** The jobs of one topic in one state. */
export interface JobCount {
  readonly topic: string
  readonly state: DeliveryState
  readonly count: number
  /** The earliest timestamp, in milliseconds since the epoch. */
  readonly oldest: number
}

/** What lists show of a job that was not handled. */
export interface JobRecord {
  readonly id: string
  readonly state: DeliveryState
  /** Of a job that waits: when it is to be taken, in milliseconds since the epoch; else 0. */
  readonly dueAt: number
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
  /**
   * Takes the next jobs of a queue and locks each with one of the tokens, for `leaseMs` milliseconds. None if BullMQ
   * has to look after the queue first: then it takes one itself.
   */
  take(queue: string, tokens: readonly string[], leaseMs: number): Promise<readonly TakenJob[]>
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
  /** The ids of the jobs of a queue that are not completed, in any order. */
  listIds(queue: string): Promise<readonly string[]>
  /** Reads jobs that are not completed, without those that have no delivery any more. */
  read(queue: string, ids: readonly string[]): Promise<readonly JobRecord[]>
  /** Reads the data of jobs that are not completed, in the order of the ids; `undefined` where there is none. */
  readData(queue: string, ids: readonly string[]): Promise<readonly unknown[]>
  /**
   * Completes jobs that are not active and deletes their data. For each, the state in which it was: `running` if it is
   * active and was left alone; `undefined` if it was completed before.
   */
  erase(queue: string, ids: readonly string[]): Promise<readonly (DeliveryState | undefined)[]>
  /** {@link erase} for the oldest jobs that failed at this time or before, `count` at most. Resolves with how many. */
  discardOld(queue: string, failedUntil: number, count: number): Promise<number>
  /** Completes failed jobs, by the ids of their deliveries, and deletes their data. Resolves with the ids it found. */
  discardFailed(deliveryIds: readonly string[]): Promise<readonly string[]>
}

/** How the note of a job begins that waits for a handler. */
export const UNHANDLED_NOTE = '{"unhandledSince"'
