import { randomUUID } from 'node:crypto'
import type { StoredDelivery } from '../../core/inbox/inbox.ts'
import type { DeliveryQueue, InboxLimits, LeaseRequest } from '../queue/queue.ts'
import { createBacklog } from './backlog.ts'
import { createDeadLetters } from './dead-letters.ts'
import { type DeliveryJob, type Lane, toJobData, toJobOptions } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { createLeases } from './leases.ts'
import { readStatistics } from './statistics.ts'

/** How often ids are forgotten whose time is over, and how many of one lane at once. */
const SWEEP_MS = 5000
const SWEEP_JOBS = 100

/** Keeps deliveries as jobs of BullMQ. */
export function createBullmqQueue(
  connect: () => Promise<OpenLanes>,
  limits: InboxLimits,
): Omit<DeliveryQueue, 'close'> {
  const { retentionMs, maxQueued, leaseMs } = limits
  const backlog = createBacklog(maxQueued)
  const claims = createLeases(leaseMs, () => backlog.count(-1))
  let consumed: OpenLanes | undefined
  let sweepAt = 0

  async function put(delivery: StoredDelivery): ReturnType<DeliveryQueue['put']> {
    const { lanes, laneOf } = await connect()
    const lane = laneOf(delivery.group)
    const { queue } = lane
    if (!(await backlog.isLeft(lanes))) return (await queue.getDeduplicationJobId(delivery.id)) ? 'duplicate' : 'full'
    const jobId = randomUUID()
    const add = () => queue.add(delivery.topic, toJobData(delivery), toJobOptions(delivery, jobId))
    const added = await add()
    if (added.id !== jobId) {
      const known = await queue.getJob(added.id ?? '')
      if (known && !isOver(known, retentionMs)) return 'duplicate'
      await known?.remove()
      await queue.removeDeduplicationKey(delivery.id)
      if ((await add()).id !== jobId) return 'duplicate'
    }
    backlog.count(1)
    claims.wake(lane)
    return 'stored'
  }

  async function lease(request: LeaseRequest): ReturnType<DeliveryQueue['lease']> {
    const opened = await connect()
    if (consumed !== opened) await begin(opened)
    if (Date.now() >= sweepAt) await sweep(opened.lanes)
    return claims.lease(opened, request)
  }

  /** What a process needs that consumes, and others do not. */
  async function begin(opened: OpenLanes): Promise<void> {
    await Promise.all(opened.lanes.map(({ worker }) => worker.startStalledCheckTimer()))
    const warning = await opened.warning()
    consumed = opened
    if (warning) throw new Error(warning)
  }

  /** BullMQ's own ways, `removeOnComplete` and `clean`, leave the ids behind on PostgreSQL. */
  async function sweep(lanes: readonly Lane[]): Promise<void> {
    sweepAt = Date.now() + SWEEP_MS
    const isOld = (job: DeliveryJob | undefined) => job !== undefined && isOver(job, retentionMs)
    const forget = async ({ queue }: Lane) => {
      const [oldest] = await queue.getJobs(['completed'], 0, 0, true)
      if (!isOld(oldest)) return
      const old = (await queue.getJobs(['completed'], 0, SWEEP_JOBS - 1, true)).filter(isOld)
      await Promise.all(old.map(({ id = '' }) => queue.remove(id)))
    }
    await Promise.all(lanes.map(forget))
  }

  return {
    put,
    lease,
    renew: claims.renew,
    settle: async (leased, end) => claims.settle(await connect(), leased, end),
    ...createDeadLetters(connect),
    statistics: async () => readStatistics((await connect()).lanes),
  }
}

/** Whether a delivery was handled so long ago that its id need not be known, and only is until the next sweep. */
function isOver({ finishedOn, failedReason }: DeliveryJob, retentionMs: number): boolean {
  return finishedOn !== undefined && !failedReason && finishedOn + retentionMs < Date.now()
}
