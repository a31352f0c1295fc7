import type { StoredDelivery } from '../../core/inbox/inbox.ts'
import { pause } from '../queue/pause.ts'
import type { DeliveryQueue, InboxLimits, LeaseRequest } from '../queue/queue.ts'
import type { Watch } from './back-end.ts'
import { createBacklog } from './backlog.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createJobId, type DeliveryJob, type Lane, toJobData, toJobOptions } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { createLeases } from './leases.ts'
import { readJob } from './read-job.ts'
import { createScan } from './scan.ts'
import { createSchedule } from './schedule.ts'
import { readStatistics } from './statistics.ts'

/** How long after a sweep the next one removes expired ids, if there were some or none, and how many of a lane. */
const SWEEP_MS = { some: 5000, none: 300_000 }
const SWEEP_JOBS = 100
/** How many old dead letters of a lane are discarded with each sweep. */
const SWEEP_DEAD = 500

/** A delivery queue in BullMQ: each delivery is a job. */
export function createBullmqQueue(
  connect: () => Promise<OpenLanes>,
  limits: InboxLimits & { readonly pollMs: number },
): Omit<Required<DeliveryQueue>, 'close' | 'leasedAtOnce'> {
  const { retentionMs, maxQueued, pollMs, deadLetterRetentionMs } = limits
  const backlog = createBacklog(maxQueued, async () => {
    const counts = await (await connect()).jobs.countUnhandled()
    return [...counts.values()].reduce((sum, count) => sum + count, 0)
  })
  const schedule = createSchedule(pollMs)
  const leases = createLeases(limits, schedule, () => backlog.add(-1))
  let consuming: OpenLanes | undefined
  let watch: Watch | undefined
  let warning: string | undefined
  let sweepAt = 0

  async function put(delivery: StoredDelivery): ReturnType<DeliveryQueue['put']> {
    const opened = await connect()
    const { lanes, findLane } = opened
    const lane = findLane(delivery.group)
    const { queue } = lane
    if (!(await backlog.hasRoom(lanes))) return (await queue.getDeduplicationJobId(delivery.id)) ? 'duplicate' : 'full'
    const jobId = createJobId()
    const add = () => queue.add(delivery.topic, toJobData(delivery), toJobOptions(delivery, jobId))
    const added = await add()
    if (added.id !== jobId) {
      const known = await readJob(opened, lane, added.id ?? '')
      if (known && !isExpired(known, retentionMs)) return 'duplicate'
      await known?.remove()
      await queue.removeDeduplicationKey(delivery.id)
      if ((await add()).id !== jobId) return 'duplicate'
    }
    backlog.add(1)
    schedule.wake(lane)
    return 'stored'
  }

  async function lease(request: LeaseRequest): ReturnType<DeliveryQueue['lease']> {
    const opened = await connect()
    await opened.ready()
    if (consuming !== opened) await startConsuming(opened)
    if (performance.now() >= sweepAt) await sweep(opened)
    const leased = await leases.lease(opened, request)
    if (leased.length === 0 && warning !== undefined) {
      const error = new Error(warning)
      warning = undefined
      throw error
    }
    return leased
  }

  /** Starts what only a process with workers needs. */
  async function startConsuming(opened: OpenLanes): Promise<void> {
    await opened.startLeaseChecks()
    consuming = opened
    watch = opened.watch({ isWanted: schedule.hasWaiting, onJob: schedule.wake })
    // Advice must not stand before the work: it is reported when there is none.
    void opened.findWarning().then((found) => {
      warning = found
    })
  }

  /** BullMQ's `removeOnComplete` and `clean` do not remove the deduplication ids on PostgreSQL. */
  async function sweep(opened: OpenLanes): Promise<void> {
    sweepAt = performance.now() + SWEEP_MS.some
    const sweepLane = async (lane: Lane) => {
      const findExpired = async (end: number) => {
        const ids = await lane.queue.getRanges(['completed'], 0, end, true)
        const jobs = await Promise.all(ids.map((id) => readJob(opened, lane, id)))
        return jobs.flatMap((job) => (job && isExpired(job, retentionMs) ? job : []))
      }
      if ((await findExpired(0)).length === 0) return false
      const expired = await findExpired(SWEEP_JOBS - 1)
      await Promise.all(expired.map(({ id = '' }) => lane.queue.remove(id)))
      return true
    }
    const sweepDead = async ({ queue }: Lane) => {
      if (deadLetterRetentionMs === undefined) return false
      return (await opened.jobs.discardOld(queue.name, Date.now() - deadLetterRetentionMs, SWEEP_DEAD)) === SWEEP_DEAD
    }
    const swept = await Promise.all(opened.lanes.flatMap((lane) => [sweepLane(lane), sweepDead(lane)]))
    if (!swept.includes(true)) sweepAt = performance.now() + SWEEP_MS.none
  }

  return {
    put,
    lease,
    renew: leases.renew,
    async waitForWork(signal) {
      if (!consuming) return pause(pollMs, signal)
      const nextLook = Math.min(sweepAt, leases.lookAt())
      const waiting = schedule.wait(consuming.lanes, nextLook - performance.now(), signal)
      watch?.start()
      await waiting
    },
    settle: async (leased, settlement) => leases.settle(await connect(), leased, settlement),
    ...createDeadLetters(connect, schedule.wake),
    ...createScan(connect, () => backlog.add(-1)),
    statistics: async () => readStatistics((await connect()).jobs),
  }
}

/** Whether the id of a handled delivery is past its retention. It stays in the engine until the next sweep. */
function isExpired({ finishedOn, failedReason }: DeliveryJob, retentionMs: number): boolean {
  return finishedOn !== undefined && !failedReason && finishedOn + retentionMs < Date.now()
}
