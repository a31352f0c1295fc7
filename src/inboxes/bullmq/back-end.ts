import type { BackendFactory, ConnectionOptions, Queue, RedisQueueBackend } from 'bullmq'
import type { EngineJobs } from './engine-jobs.ts'
import type { LeaseCheck } from './postgres-lease-check.ts'

/** The connection that all queues and workers share. Otherwise BullMQ would open connections for each of them. */
export interface OpenBackEnd {
  readonly connection: ConnectionOptions
  readonly create: BackendFactory<RedisQueueBackend>
  /** Opens what BullMQ cannot do with the jobs of the lanes. */
  openJobs(queues: readonly Queue[]): EngineJobs
  /** Takes jobs back whose worker was lost; `undefined` where BullMQ does it well. */
  readonly checkLeases?: ((queues: readonly Queue[], leaseMs: number) => LeaseCheck) | undefined
  /**
   * Finds the job of a queue that is locked with the token, without parsing it; `undefined` if there is none. Gives
   * its id.
   */
  findLocked(queue: Queue, token: string): Promise<string | undefined>
  /** Makes a job readable whose fields cannot be parsed. Data that is not JSON stays in its body. */
  repairJob(queue: Queue, id: string): Promise<unknown>
  /** A problem with the settings of the server; `undefined` if there is none, or if it cannot be found out. */
  findWarning(): Promise<string | undefined>
  /** Calls the function at each new connection to a server that may have come back empty. */
  onReconnect(listener: () => void): void
  /** Tells the workers of other processes that a queue can be asked again. */
  announce(queue: Queue): Promise<unknown>
  /** Where the engine can tell of new jobs. */
  readonly watch: ((options: WatchOptions) => Watch) | undefined
  close(): Promise<void>
}

export interface WatchOptions {
  readonly queues: readonly Queue[]
  /** Whether a worker of this process waits for jobs. If none does, other processes are told instead. */
  isWanted(): boolean
  /** Called when a queue may have a job after `ms` milliseconds. */
  onJob(queue: Queue, ms: number): void
}

export interface Watch {
  /** Starts to watch, unless it is watching. */
  start(): void
  close(): Promise<void>
}

/** The longest time for one command. A connection that does not answer for this long is considered dead. */
export const COMMAND_MS = 5000
/** The pause before a connection that watches is opened again. Meanwhile the queues are asked as often. */
export const REWATCH_MS = 1000

/** The calls themselves report errors. But an `error` event without a listener would end the process. */
export function ignore(): void {}
