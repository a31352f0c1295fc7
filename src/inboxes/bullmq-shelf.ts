import { randomUUID } from 'node:crypto'
import type { StoredDelivery } from '../core/inbox.ts'
import { createClaims } from './bullmq-claims.ts'
import type { Engine } from './bullmq-engine.ts'
import { type DeliveryJob, dataOf, type Lane, optionsOf } from './bullmq-job.ts'
import { createLetters } from './bullmq-letters.ts'
import { createRoom } from './bullmq-room.ts'
import { statisticsOf } from './bullmq-statistics.ts'
import type { Demand, Limits, Shelf } from './shelf.ts'

/** How often ids are forgotten whose time is over, and how many of one lane at once. */
const SWEEP_MS = 5000
const SWEEP_JOBS = 100

/** Keeps deliveries as jobs of BullMQ. */
export function createBullmqShelf(engine: () => Promise<Engine>, limits: Limits): Omit<Shelf, 'close'> {
  const { retentionMs, maxQueued, leaseMs } = limits
  const room = createRoom(maxQueued)
  const claims = createClaims(leaseMs, () => room.count(-1))
  let consumed: Engine | undefined
  let sweepAt = 0

  async function put(delivery: StoredDelivery): ReturnType<Shelf['put']> {
    const { lanes, laneOf } = await engine()
    const lane = laneOf(delivery.group)
    const { queue } = lane
    if (!(await room.isLeft(lanes))) return (await queue.getDeduplicationJobId(delivery.id)) ? 'duplicate' : 'full'
    const jobId = randomUUID()
    const add = () => queue.add(delivery.topic, dataOf(delivery), optionsOf(delivery, jobId))
    const added = await add()
    if (added.id !== jobId) {
      const known = await queue.getJob(added.id ?? '')
      if (known && !isOver(known, retentionMs)) return 'duplicate'
      await known?.remove()
      await queue.removeDeduplicationKey(delivery.id)
      if ((await add()).id !== jobId) return 'duplicate'
    }
    room.count(1)
    claims.wake(lane)
    return 'stored'
  }

  async function claim(demand: Demand): ReturnType<Shelf['claim']> {
    const opened = await engine()
    if (consumed !== opened) await begin(opened)
    if (Date.now() >= sweepAt) await sweep(opened.lanes)
    return claims.claim(opened, demand)
  }

  /** What a process needs that consumes, and others do not. */
  async function begin(opened: Engine): Promise<void> {
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
    claim,
    renew: claims.renew,
    settle: async (claimed, end) => claims.settle(await engine(), claimed, end),
    ...createLetters(engine),
    statistics: async () => statisticsOf((await engine()).lanes),
  }
}

/** Whether a delivery was handled so long ago that its id need not be known, and only is until the next sweep. */
function isOver({ finishedOn, failedReason }: DeliveryJob, retentionMs: number): boolean {
  return finishedOn !== undefined && !failedReason && finishedOn + retentionMs < Date.now()
}
