import type { DeliveryQueue, InboxLimits, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { countAttempts, countLosses, isLost, isRefusal, type Lane, type LeasedJob, toDeliveryRecord } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { createLostReplies } from './lost-replies.ts'
import { createPostponement } from './postpone.ts'
import type { Schedule } from './schedule.ts'
import { settleJob } from './settle-job.ts'
import { admitJob, type TakeOptions, takeJobs } from './take-job.ts'
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
/** The most jobs that are taken at once, each with a command of its own. A pool has about as many connections. */
const TAKEN_AT_ONCE = 10

/**
 * Takes jobs from BullMQ. BullMQ's own worker loop knows neither topics nor groups, and each loop has a concurrency of
 * its own.
 *
 * @param schedule says which lanes to ask.
 * @param onRemoved is called when a delivery is not open any more: handled, dead, or waiting for a handler.
 */
export function createLeases(limits: InboxLimits, schedule: Schedule, onRemoved: () => void): Leases {
  const { leaseMs } = limits
  const jobs = new WeakMap<LeasedDelivery, LeasedJob>()
  /** The lanes that had as many jobs as were asked for. */
  const busy = new WeakSet<Lane>()
  const postpone = createPostponement()
  const unhandled = createUnhandled(limits, onRemoved)
  const lostReplies = createLostReplies(leaseMs)
  let firstLane = 0

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
      const wanted = busy.has(lane) ? Math.min(capacity - leased.length, TAKEN_AT_ONCE) : 1
      const { found, errors } = await takeJobs(opened, lane, wanted, lostReplies.add)
      taken += found.length
      if (found.length < wanted || lane !== opened.lanes[0]) busy.delete(lane)
      else busy.add(lane)
      const { dueAt } = lane.worker
      if (found.length > 0 || errors.length > 0) schedule.wake(lane, taken < JOBS_PER_LANE ? 0 : NEXT_JOBS_MS)
      else if (dueAt > 0) schedule.wake(lane, Math.ceil(dueAt) - Date.now())
      for (const job of found) {
        try {
          if (!(await admitJob(opened, job, options))) continue
          const delivery = toLeasedDelivery(job)
          jobs.set(delivery, job)
          leased.push(delivery)
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
      const { job } = jobs.get(leased) ?? {}
      return job !== undefined && (await job.extendLock(leased.token, leaseMs)) > 0
    },
    async settle(opened, leased, settlement) {
      const job = jobs.get(leased)
      if (!job) return false
      let isHeld: boolean
      try {
        isHeld = await settleJob(opened, job, settlement, onRemoved)
      } catch (error) {
        if (!isRefusal(error)) throw error
        isHeld = false
      }
      jobs.delete(leased)
      schedule.wake(job.lane)
      opened.announce(job.lane)
      return isHeld
    },
    lookAt: () => Math.min(unhandled.lookAt(), lostReplies.lookAt()),
  }
}

function toLeasedDelivery({ job, token }: LeasedJob): LeasedDelivery {
  const attempt = countAttempts(job) + 1
  return { token, attempt, isLost: isLost(job), losses: countLosses(job), ...toDeliveryRecord(job) }
}
