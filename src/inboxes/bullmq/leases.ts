import type { DeliveryQueue, InboxLimits, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { countAttempts, countLosses, isLost, isRefusal, type Lane, type LeasedJob, toDeliveryRecord } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { createLostReplies } from './lost-replies.ts'
import { createPostponement } from './postpone.ts'
import type { Schedule } from './schedule.ts'
import { settleJob } from './settle-job.ts'
import { admitJob, type TakeOptions, takeJob, takeJobs } from './take-job.ts'
import { createUnhandled } from './unhandled.ts'

interface Leases extends Pick<DeliveryQueue, 'renew'> {
  lease(opened: OpenLanes, request: LeaseRequest): Promise<readonly LeasedDelivery[]>
  settle(opened: OpenLanes, leased: LeasedDelivery, settlement: Settlement): Promise<boolean>
  /** When to lease in any case, on the monotonic clock. */
  lookAt(): number
}

/** The most jobs that one request takes from a lane: all of them may be of topics without free capacity. */
const JOBS_PER_LANE = 100
/** When such a lane is asked again. */
const NEXT_JOBS_MS = 200
/** The most jobs that are taken with one command. */
export const TAKEN_AT_ONCE = 25

/**
 * Takes jobs from BullMQ. BullMQ's own worker loop knows neither topics nor groups, and each loop has a concurrency of
 * its own.
 *
 * @param schedule says which lanes to ask.
 * @param onRemoved is called when a delivery is not open any more: handled, dead, or waiting for a handler.
 */
export function createLeases(limits: InboxLimits, schedule: Schedule, onRemoved: () => void): Leases {
  const { leaseMs } = limits
  /** The lanes that had as many jobs as were asked for. */
  const busy = new WeakSet<Lane>()
  const postpone = createPostponement()
  const unhandled = createUnhandled(limits, onRemoved)
  const lostReplies = createLostReplies(leaseMs)
  let firstLane = 0

  /** Takes one job in BullMQ's own way, or several at once of a lane that had as many as were asked for. */
  async function take(opened: OpenLanes, lane: Lane, capacity: number): Promise<readonly LeasedJob[]> {
    if (!busy.has(lane)) {
      const found = await takeJob(opened, lane, lostReplies.add)
      if (found.length > 0 && lane === opened.lanes[0]) busy.add(lane)
      return found
    }
    const wanted = Math.min(capacity, TAKEN_AT_ONCE)
    const found = await takeJobs(opened, lane, wanted, leaseMs, lostReplies.add)
    if (found.length < wanted) busy.delete(lane)
    return found
  }

  /** Adds deliveries of a lane to `leased`, until the lane is empty or `capacity` is reached. */
  async function leaseFrom(
    opened: OpenLanes,
    lane: Lane,
    leased: LeasedDelivery[],
    capacity: number,
    options: TakeOptions,
  ): Promise<void> {
    for (let taken = 0; leased.length < capacity && schedule.isDue(lane); ) {
      schedule.rest(lane)
      const wasBusy = busy.has(lane)
      let found: readonly LeasedJob[]
      try {
        found = await take(opened, lane, capacity - leased.length)
      } catch (error) {
        busy.delete(lane)
        schedule.wake(lane)
        throw error
      }
      taken += found.length
      const { dueAt } = lane.worker
      // BullMQ itself has not been asked yet.
      if (found.length > 0 || wasBusy) schedule.wake(lane, taken < JOBS_PER_LANE ? 0 : NEXT_JOBS_MS)
      else if (dueAt > 0) schedule.wake(lane, Math.ceil(dueAt) - Date.now())
      const errors: unknown[] = []
      for (const job of found) {
        try {
          if (!(await admitJob(opened, job, options))) continue
          leased.push(toLeasedDelivery(job))
        } catch (error) {
          lostReplies.add(lane, job.token)
          errors.push(error)
        }
      }
      for (const error of errors) throw error
    }
  }

  return {
    async lease(opened, request) {
      const { lanes } = opened
      const { capacity, capacityByTopic, isHandled } = request
      const leased: LeasedDelivery[] = []
      const options: TakeOptions = {
        postpone,
        isHandled,
        complete: (job) => settleJob(opened, job, { state: 'handled' }, onRemoved),
        setAside: (job) => unhandled.setAside(opened, job, request),
        hasCapacity(topic) {
          const ofTopic = leased.filter(({ delivery }) => delivery.topic === topic).length
          return ofTopic < (capacityByTopic.get(topic) ?? capacity)
        },
      }
      await lostReplies.giveBack(opened)
      if (performance.now() >= unhandled.lookAt() && (await unhandled.look(opened, request)) > 0) {
        for (const lane of lanes) schedule.wake(lane)
      }
      firstLane = (firstLane + 1) % lanes.length
      try {
        for (const lane of [...lanes.slice(firstLane), ...lanes.slice(0, firstLane)]) {
          await leaseFrom(opened, lane, leased, capacity, options)
        }
      } catch (error) {
        // What was leased before the error must still be handled.
        if (leased.length === 0) throw error
      }
      return leased
    },
    async renew(leased) {
      return (await toLeasedJob(leased).job.extendLock(leased.token, leaseMs)) > 0
    },
    async settle(opened, leased, settlement) {
      const job = toLeasedJob(leased)
      let isHeld: boolean
      try {
        isHeld = await settleJob(opened, job, settlement, onRemoved)
      } catch (error) {
        if (!isRefusal(error)) throw error
        isHeld = false
      }
      schedule.wake(job.lane)
      opened.announce(job.lane)
      return isHeld
    },
    lookAt: () => Math.min(unhandled.lookAt(), lostReplies.lookAt()),
  }
}

/** A leased delivery with its job. In a WeakMap it would keep both until V8's next full collection. */
interface JobDelivery extends LeasedDelivery {
  readonly leasedJob: LeasedJob
}

function toLeasedDelivery(leasedJob: LeasedJob): JobDelivery {
  const { job, token } = leasedJob
  const attempt = countAttempts(job) + 1
  return { token, attempt, isLost: isLost(job), losses: countLosses(job), leasedJob, ...toDeliveryRecord(job) }
}

function toLeasedJob(leased: LeasedDelivery): LeasedJob {
  return (leased as JobDelivery).leasedJob
}
