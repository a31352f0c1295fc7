import { createHash } from 'node:crypto'
import type { JobJson, Queue, QueueOptions } from 'bullmq'
import { withTimeout } from '../../core/deadline.ts'
import { ignore, type OpenBackEnd, type Watch, type WatchOptions } from './back-end.ts'
import { createBatching } from './batching.ts'
import type { EngineJobs, LockedJob } from './engine-jobs.ts'
import { createGroupOrder, type GroupOrder, type GroupSequence } from './group-order.ts'
import { backoffStrategy, type DeliveryJob, type JobData, type Lane } from './job.ts'
import { type BullMq, loadBullMq } from './load-peers.ts'

export interface OpenLanes extends Pick<OpenBackEnd, 'findLocked' | 'repairJob' | 'findWarning'> {
  /**
   * The first lane is for deliveries without a group. Each other lane handles one delivery at a time, over all workers.
   */
  readonly lanes: readonly Lane[]
  readonly groupOrder: GroupOrder
  /** The jobs of all lanes. */
  readonly jobs: EngineJobs
  /** Completes a job and deletes its data; false if the token does not hold it. */
  completeJob(job: LockedJob): Promise<boolean>
  /** Starts to take jobs back whose worker was lost. */
  startLeaseChecks(): Promise<unknown>
  findLane(group: string | undefined): Lane
  /** Resolves when the limits of the lanes are set. The engine may have come back empty. */
  ready(): Promise<unknown>
  /** Tells the workers of other processes that a lane with groups is free. */
  announce(lane: Lane): void
  /** Watches all lanes; `undefined` if the engine cannot tell of new jobs. */
  watch(options: LanesWatchOptions): Watch | undefined
  /** Reads a job as if the worker had taken it. */
  findJob(worker: Lane['worker'], id: string): Promise<DeliveryJob | undefined>
  close(): Promise<void>
}

interface LanesWatchOptions extends Pick<WatchOptions, 'isWanted'> {
  /** Called when a lane may have a job after `ms` milliseconds. */
  onJob(lane: Lane, ms: number): void
}

interface LanesOptions {
  /** Opens the back end. */
  readonly open: (bullmq: BullMq) => Promise<OpenBackEnd>
  readonly name: string
  /** Of the keys on Redis. */
  readonly prefix: string
  readonly leaseMs: number
}

/** How many groups are handled at once. It must be the same in all processes, or a group would be in two lanes. */
const GROUP_LANES = 8
const OPEN_MS = 4000

/** Connects to the back end, and rejects if it does not answer. */
export async function openLanes(options: LanesOptions): Promise<OpenLanes> {
  const bullmq = await loadBullMq()
  const backEnd = await options.open(bullmq)
  const grouped = Array.from({ length: GROUP_LANES }, (_, i) =>
    openLane(`${options.name}~${i + 1}`, backEnd, options, bullmq),
  )
  const ungrouped = openLane(options.name, backEnd, options, bullmq)
  const sequences = openQueue<GroupSequence>(`${options.name}~lines`, backEnd, options, bullmq)
  const lanes = [ungrouped, ...grouped]
  const opened = [sequences, ...lanes.flatMap(({ queue, worker }) => [queue, worker])]
  const queues = lanes.map(({ queue }) => queue)
  const jobs = backEnd.openJobs(queues)
  const leaseCheck = backEnd.checkLeases?.(queues, options.leaseMs)
  let watch: Watch | undefined
  const close = async () => {
    leaseCheck?.close()
    await watch?.close()
    await Promise.all(opened.map((one) => one.close()))
    await backEnd.close()
  }
  let limited: Promise<unknown> | undefined
  const limitLanes = () => {
    limited = Promise.all(grouped.map(({ queue }) => queue.setGlobalConcurrency(1)))
    limited.catch(() => {
      limited = undefined
    })
    return limited
  }
  backEnd.onReconnect(() => void limitLanes())
  const ready = Promise.all(opened.map((one) => one.waitUntilReady()))
  try {
    await withTimeout(ready, OPEN_MS, () => new Error('The server did not answer in time.'))
    await limitLanes()
  } catch (error) {
    await close()
    throw error
  }
  return {
    ...backEnd,
    lanes,
    groupOrder: createGroupOrder(sequences),
    jobs,
    completeJob: createBatching(jobs.complete),
    async startLeaseChecks() {
      if (leaseCheck) leaseCheck.start()
      else await Promise.all(lanes.map(({ worker }) => worker.startStalledCheckTimer()))
    },
    findLane: (group) => (group === undefined ? ungrouped : (grouped[hashGroup(group) % GROUP_LANES] ?? ungrouped)),
    ready: () => limited ?? limitLanes(),
    announce(lane) {
      if (lane !== ungrouped) void backEnd.announce(lane.queue).catch(ignore)
    },
    watch({ isWanted, onJob }) {
      const byQueue = new Map<Queue, Lane>(lanes.map((lane) => [lane.queue, lane]))
      const onQueue = (queue: Queue, ms: number) => {
        const lane = byQueue.get(queue)
        if (lane) onJob(lane, ms)
      }
      watch = backEnd.watch?.({ queues: [...byQueue.keys()], isWanted, onJob: onQueue })
      return watch
    },
    findJob: (worker, id) => bullmq.Job.fromId<JobData>(worker, id),
    close,
  }
}

function hashGroup(group: string): number {
  return createHash('sha256').update(group).digest().readUInt32BE()
}

function openLane(name: string, backEnd: OpenBackEnd, options: LanesOptions, bullmq: BullMq): Lane {
  const { leaseMs } = options
  class DeliveryWorker extends bullmq.Worker<JobData> {
    dueAt = 0

    protected override async moveToActive(token: string): Promise<DeliveryJob> {
      const [json, id, , dueAt] = await this.backend.moveToActive(token)
      this.dueAt = Number(dueAt)
      return this.nextJobFromJobData(json, id, token)
    }

    toJob(json: JobJson): DeliveryJob {
      return this.createJob(json, json.id)
    }

    /** BullMQ would try for ever to schedule the next job of a scheduler that is none. Nothing is scheduled here. */
    protected override createJob(json: JobJson, jobId: string): DeliveryJob {
      const { repeatJobKey, ...unscheduled } = json
      return super.createJob(unscheduled, jobId)
    }
  }
  const worker = new DeliveryWorker(
    name,
    null,
    {
      ...sharedOptions(backEnd, options),
      lockDuration: leaseMs,
      stalledInterval: leaseMs,
      maxStalledCount: 2 ** 31 - 1,
      settings: { backoffStrategy },
    },
    backEnd.create,
  )
  worker.on('error', ignore)
  return { worker, queue: openQueue<JobData>(name, backEnd, options, bullmq) }
}

function openQueue<T>(name: string, backEnd: OpenBackEnd, options: LanesOptions, { Queue }: BullMq): Queue<T> {
  const streams = { events: { maxLen: 100 } }
  const queue = new Queue<T>(name, { ...sharedOptions(backEnd, options), streams }, backEnd.create)
  queue.on('error', ignore)
  return queue
}

/** Without the check of versions, which writes to the console. */
function sharedOptions(
  { connection }: OpenBackEnd,
  { prefix }: LanesOptions,
): Pick<QueueOptions, 'connection' | 'prefix' | 'skipVersionCheck'> {
  return { connection, prefix, skipVersionCheck: true }
}
