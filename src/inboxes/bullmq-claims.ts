import { randomUUID } from 'node:crypto'
import type { Engine } from './bullmq-engine.ts'
import { attemptsOf, type DeliveryJob, empty, FailedAttempt, isKept, keptIn, type Lane } from './bullmq-job.ts'
import { isRefusal } from './bullmq-letters.ts'
import type { Claimed, Demand, End, Shelf } from './shelf.ts'

interface Held {
  readonly job: DeliveryJob
  readonly lane: Lane
}

interface Claims extends Pick<Shelf, 'renew'> {
  claim(engine: Engine, demand: Demand): Promise<readonly Claimed[]>
  settle(engine: Engine, claimed: Claimed, end: End): Promise<boolean>
  /** There is something in that lane. */
  wake(lane: Lane): void
}

/** How long a lane in which there was nothing to do is left alone, unless something happens in it. */
const QUIET_MS = 200
/** How long a delivery is left alone that waits for another of its group, which calls it when it is done. */
const IN_LINE_MS = 30_000
/** How many jobs of a lane are looked at in one go: they may all be of a topic that has no hand free. */
const LOOKS = 100

/**
 * Takes jobs out of BullMQ, by hand rather than by the loop of its workers: that knows no topics and no groups, and each of its
 * loops has hands of its own.
 *
 * @param done is told whenever a delivery has been handled or given up.
 */
export function createClaims(leaseMs: number, done: () => void): Claims {
  const held = new WeakMap<Claimed, Held>()
  const quietUntil = new WeakMap<Lane, number>()
  const setBack = createSetBack()
  let turn = 0

  /** What one look into a lane has found of the topics that are free; `undefined` if there is nothing more to find in it for now. */
  async function look(
    engine: Engine,
    lane: Lane,
    isFree: (topic: string) => boolean,
  ): Promise<Claimed | 'next' | undefined> {
    const token = randomUUID()
    const job = await lane.worker.getNextJob(token, { block: false })
    if (!job) return undefined
    const holding = { job, lane }
    if (!isKept(job)) await conclude(engine, holding, token, { state: 'handled' })
    else {
      const { name: topic, data } = job
      const { group } = data
      const isFirst = group === undefined || (await engine.lines.isFirst(job, group, lane))
      if (isFirst && isFree(topic)) {
        const claimed = { token, attempt: attemptsOf(job) + 1, isLost: job.stalledCounter > 0, ...keptIn(job) }
        held.set(claimed, holding)
        return claimed
      }
      if (isFirst && group !== undefined) await engine.lines.begin(job, group)
      await job.moveToDelayed(isFirst ? setBack(topic) : Date.now() + IN_LINE_MS, token)
    }
    return 'next'
  }

  async function conclude(engine: Engine, { job, lane }: Held, token: string, end: End): Promise<void> {
    const { group } = job.data
    if (end.state === 'returned' && end.delayMs === 0) return void (await engine.giveBack(job, token))
    const comesLater = end.state === 'failed' || end.state === 'returned'
    if (comesLater && group !== undefined) await engine.lines.begin(job, group)
    if (end.state === 'returned') return job.moveToDelayed(Date.now() + end.delayMs, token)
    if (end.state !== 'handled') await job.moveToFailed(new FailedAttempt(end), token, false)
    else {
      await job.moveToCompleted(null, token, false)
      // All that is lost if this fails is room, for a while.
      await empty(job).catch(() => {})
    }
    if (end.state === 'failed') return
    done()
    if (group !== undefined) await engine.lines.leave(job, group, lane)
  }

  return {
    async claim(engine, { hands, handsByTopic }) {
      const { lanes } = engine
      const claimed: Claimed[] = []
      const isFree = (topic: string) => {
        const taken = claimed.filter(({ delivery }) => delivery.topic === topic).length
        return taken < (handsByTopic.get(topic) ?? hands)
      }
      turn = (turn + 1) % lanes.length
      try {
        for (const lane of [...lanes.slice(turn), ...lanes.slice(0, turn)]) {
          for (let looks = 0; looks < LOOKS && claimed.length < hands; looks++) {
            if (Date.now() < (quietUntil.get(lane) ?? 0)) break
            const found = await look(engine, lane, isFree)
            if (!found) quietUntil.set(lane, Date.now() + QUIET_MS)
            else if (found !== 'next') claimed.push(found)
          }
        }
      } catch (error) {
        if (claimed.length === 0) throw error
      }
      return claimed
    },
    async renew(claimed) {
      const { job } = held.get(claimed) ?? {}
      return job !== undefined && (await job.extendLock(claimed.token, leaseMs)) > 0
    },
    async settle(engine, claimed, end) {
      const holding = held.get(claimed)
      if (!holding) return false
      let isHeld = true
      try {
        await conclude(engine, holding, claimed.token, end)
      } catch (error) {
        if (!isRefusal(error)) throw error
        isHeld = false
      }
      held.delete(claimed)
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
function createSetBack(): (topic: string) => number {
  const turns = new Map<string, number>()
  return (topic) => {
    const now = Date.now()
    const turn = Math.min(Math.max(turns.get(topic) ?? 0, now + 100) + 5, now + 10_000)
    turns.set(topic, turn)
    return turn
  }
}
