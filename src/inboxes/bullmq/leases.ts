import type { DeliveryQueue, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { countAttempts, isRefusal, type Lane, type LeasedJob, toDeliveryRecord } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { createPostponement } from './postpone.ts'
import type { Schedule } from './schedule.ts'
import { settleJob } from './settle-job.ts'
import { type TakeOptions, takeJob } from './take-job.ts'

interface Leases extends Pick<DeliveryQueue, 'renew'> {
  lease(opened: OpenLanes, request: LeaseRequest): Promise<readonly LeasedDelivery[]>
  settle(opened: OpenLanes, leased: LeasedDelivery, settlement: Settlement): Promise<boolean>
}

/** The most jobs that one request takes from a lane: all of them may be of topics without free capacity. */
const JOBS_PER_LANE = 100
/** When such a lane is asked again. */
const NEXT_JOBS_MS = 200

/**
 * Takes jobs from BullMQ one by one. BullMQ's own worker loop knows neither topics nor groups, and each loop has a
 * concurrency of its own.
 *
 * @param schedule says which lanes to ask.
 * @param onRemoved is called when a delivery was handled or has become a dead letter.
 */
export function createLeases(leaseMs: number, schedule: Schedule, onRemoved: () => void): Leases {
  const jobs = new WeakMap<LeasedDelivery, LeasedJob>()
  const postpone = createPostponement()
  let firstLane = 0

  /** Adds deliveries of a lane to `leased`, until the lane is empty or `capacity` is reached. */
  async function leaseFrom(
    opened: OpenLanes,
    lane: Lane,
    leased: LeasedDelivery[],
    capacity: number,
    options: TakeOptions,
  ): Promise<void> {
    for (let taken = 0; leased.length < capacity && schedule.isDue(lane); taken++) {
      schedule.rest(lane)
      const job = await takeJob(opened, lane, options).catch((error: unknown) => {
        schedule.wake(lane)
        throw error
      })
      const { dueAt } = lane.worker
      if (job !== 'empty') schedule.wake(lane, taken < JOBS_PER_LANE ? 0 : NEXT_JOBS_MS)
      else if (dueAt > 0) schedule.wake(lane, Math.ceil(dueAt) - Date.now())
      if (typeof job === 'object') {
        const delivery = toLeasedDelivery(job)
        jobs.set(delivery, job)
        leased.push(delivery)
      }
    }
  }

  return {
    async lease(opened, { capacity, capacityByTopic }) {
      const { lanes } = opened
      const leased: LeasedDelivery[] = []
      const options: TakeOptions = {
        postpone,
        complete: (job) => settleJob(opened, job, { state: 'handled' }, onRemoved),
        hasCapacity(topic) {
          const ofTopic = leased.filter(({ delivery }) => delivery.topic === topic).length
          return ofTopic < (capacityByTopic.get(topic) ?? capacity)
        },
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
      let isHeld = true
      try {
        await settleJob(opened, job, settlement, onRemoved)
      } catch (error) {
        if (!isRefusal(error)) throw error
        isHeld = false
      }
      jobs.delete(leased)
      schedule.wake(job.lane)
      return isHeld
    },
  }
}

function toLeasedDelivery({ job, token }: LeasedJob): LeasedDelivery {
  return { token, attempt: countAttempts(job) + 1, isLost: job.stalledCounter > 0, losses: 0, ...toDeliveryRecord(job) }
}
