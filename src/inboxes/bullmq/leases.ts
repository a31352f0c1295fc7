import { randomUUID } from 'node:crypto'
import type { DeliveryQueue, LeasedDelivery, LeaseRequest, Settlement } from '../queue/queue.ts'
import { isRefusal } from './dead-letters.ts'
import {
  countAttempts,
  type DeliveryJob,
  FailedAttempt,
  hasBody,
  type Lane,
  removeBody,
  toDeliveryRecord,
} from './job.ts'
import type { OpenLanes } from './lanes.ts'

interface HeldJob {
  readonly job: DeliveryJob
  readonly lane: Lane
}

interface Leases extends Pick<DeliveryQueue, 'renew'> {
  lease(opened: OpenLanes, request: LeaseRequest): Promise<readonly LeasedDelivery[]>
  settle(opened: OpenLanes, leased: LeasedDelivery, end: Settlement): Promise<boolean>
  /** There is something in that lane. */
  wake(lane: Lane): void
}

/** How long a lane in which there was nothing to do is left alone, unless something happens in it. */
const QUIET_MS = 200
/** How long a delivery is left alone that waits for another of its group, which calls it when it is done. */
const BEHIND_GROUP_MS = 30_000
/** How many jobs of a lane are looked at in one go: they may all be of a topic that has no hand free. */
const JOBS_PER_LANE = 100

/**
 * Takes jobs out of BullMQ, by hand rather than by the loop of its workers: that knows no topics and no groups, and each of its
 * loops has hands of its own.
 *
 * @param done is told whenever a delivery has been handled or given up.
 */
export function createLeases(leaseMs: number, done: () => void): Leases {
  const held = new WeakMap<LeasedDelivery, HeldJob>()
  const quietUntil = new WeakMap<Lane, number>()
  const postpone = createPostponement()
  let turn = 0

  /** What one look into a lane has found of the topics that are free; `undefined` if there is nothing more to find in it for now. */
  async function takeJob(
    opened: OpenLanes,
    lane: Lane,
    isFree: (topic: string) => boolean,
  ): Promise<LeasedDelivery | 'next' | undefined> {
    const token = randomUUID()
    const job = await lane.worker.getNextJob(token, { block: false })
    if (!job) return undefined
    const holding = { job, lane }
    if (!hasBody(job)) await settleJob(opened, holding, token, { state: 'handled' })
    else {
      const { name: topic, data } = job
      const { group } = data
      const isFirst = group === undefined || (await opened.groupOrder.isFirst(job, group, lane))
      if (isFirst && isFree(topic)) {
        const leased = {
          token,
          attempt: countAttempts(job) + 1,
          isLost: job.stalledCounter > 0,
          ...toDeliveryRecord(job),
        }
        held.set(leased, holding)
        return leased
      }
      if (isFirst && group !== undefined) await opened.groupOrder.begin(job, group)
      await job.moveToDelayed(isFirst ? postpone(topic) : Date.now() + BEHIND_GROUP_MS, token)
    }
    return 'next'
  }

  async function settleJob(opened: OpenLanes, { job, lane }: HeldJob, token: string, end: Settlement): Promise<void> {
    const { group } = job.data
    if (end.state === 'returned' && end.delayMs === 0) return void (await opened.returnJob(job, token))
    const comesLater = end.state === 'failed' || end.state === 'returned'
    if (comesLater && group !== undefined) await opened.groupOrder.begin(job, group)
    if (end.state === 'returned') return job.moveToDelayed(Date.now() + end.delayMs, token)
    if (end.state !== 'handled') await job.moveToFailed(new FailedAttempt(end), token, false)
    else {
      await job.moveToCompleted(null, token, false)
      // All that is lost if this fails is room, for a while.
      await removeBody(job).catch(() => {})
    }
    if (end.state === 'failed') return
    done()
    if (group !== undefined) await opened.groupOrder.leave(job, group, lane)
  }

  return {
    async lease(opened, { capacity, capacityByTopic }) {
      const { lanes } = opened
      const leased: LeasedDelivery[] = []
      const isFree = (topic: string) => {
        const taken = leased.filter(({ delivery }) => delivery.topic === topic).length
        return taken < (capacityByTopic.get(topic) ?? capacity)
      }
      turn = (turn + 1) % lanes.length
      try {
        for (const lane of [...lanes.slice(turn), ...lanes.slice(0, turn)]) {
          for (let looks = 0; looks < JOBS_PER_LANE && leased.length < capacity; looks++) {
            if (Date.now() < (quietUntil.get(lane) ?? 0)) break
            const found = await takeJob(opened, lane, isFree)
            if (!found) quietUntil.set(lane, Date.now() + QUIET_MS)
            else if (found !== 'next') leased.push(found)
          }
        }
      } catch (error) {
        if (leased.length === 0) throw error
      }
      return leased
    },
    async renew(leased) {
      const { job } = held.get(leased) ?? {}
      return job !== undefined && (await job.extendLock(leased.token, leaseMs)) > 0
    },
    async settle(opened, leased, end) {
      const holding = held.get(leased)
      if (!holding) return false
      let isHeld = true
      try {
        await settleJob(opened, holding, leased.token, end)
      } catch (error) {
        if (!isRefusal(error)) throw error
        isHeld = false
      }
      held.delete(leased)
      quietUntil.delete(holding.lane)
      return isHeld
    },
    wake: (lane) => void quietUntil.delete(lane),
  }
}

/**
 * When to come back to a delivery whose topic has no hand free: they get turns, one every few milliseconds, so that a long queue of
 * them is not gone through over and over.
 */
function createPostponement(): (topic: string) => number {
  const turns = new Map<string, number>()
  return (topic) => {
    const now = Date.now()
    const turn = Math.min(Math.max(turns.get(topic) ?? 0, now + 100) + 5, now + 10_000)
    turns.set(topic, turn)
    return turn
  }
}
