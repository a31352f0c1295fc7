import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import {
  type ConsumeOptions,
  type DeadLetter,
  type ProcessDelivery,
  toFailure,
  type Worker,
} from '../../core/inbox/inbox.ts'
import { BODY_DAMAGED, type DeliveryQueue, type LeasedDelivery, type Settlement, WORKER_LOST } from './queue.ts'
import { createWakeup } from './wakeup.ts'

export interface Consumer extends Worker {
  /** There may be something to do. */
  poll(): void
}

interface Job {
  readonly controller: AbortController
  readonly ended: Promise<void>
}

/** How long it takes at most until what another process has put is seen. */
const POLL_MS = 250
/** How long a queue that failed is left alone. */
const PAUSE_MS = 1000

/** How many deliveries are known, and for how long, that were handled here but handed out again before the queue could be told. */
const UNSETTLED = { max: 1000, ttl: 24 * 60 * 60 * 1000 }

const HANDLED: Settlement = { state: 'handled' }
const RETURNED: Settlement = { state: 'returned', delayMs: 0 }

/** Takes deliveries from a queue into as many hands as it is told, until it is stopped. */
export function createConsumer(
  queue: Pick<DeliveryQueue, 'lease' | 'renew' | 'settle'>,
  process: ProcessDelivery,
  options: ConsumeOptions,
  leaseMs: number,
): Consumer {
  const jobs = new Map<LeasedDelivery, Job>()
  const unsettled = new LRUCache<string, true>(UNSETTLED)
  const wakeup = createWakeup()
  const halt = new AbortController()

  async function loop(): Promise<void> {
    while (!halt.signal.aborted) {
      try {
        for (const leased of await lease()) await (halt.signal.aborted ? returnDelivery(leased) : start(leased))
        await wakeup.wait(POLL_MS)
      } catch (error) {
        options.onError(error)
        await pause(PAUSE_MS, halt.signal)
      }
    }
  }

  async function lease(): Promise<readonly LeasedDelivery[]> {
    const capacity = options.concurrency - jobs.size
    if (capacity === 0) return []
    const capacityByTopic = new Map(Object.entries(options.concurrencyByTopic))
    for (const { delivery } of jobs.keys()) {
      const limit = capacityByTopic.get(delivery.topic)
      if (limit !== undefined) capacityByTopic.set(delivery.topic, limit - 1)
    }
    return queue.lease({ capacity, capacityByTopic })
  }

  function start(leased: LeasedDelivery): void {
    const controller = new AbortController()
    const ended = handle(leased, controller.signal).finally(() => {
      jobs.delete(leased)
      wakeup.notify()
    })
    jobs.set(leased, { controller, ended })
  }

  /** What has become of a delivery that was lost or given back is another's to say. */
  async function handle(leased: LeasedDelivery, signal: AbortSignal): Promise<void> {
    const { id } = leased.delivery
    const end = unsettled.has(id) ? HANDLED : await processDelivery(leased, signal)
    // What ended because it was told to stop may be half done.
    if (end === HANDLED && !signal.aborted) unsettled.set(id, true)
    while (!signal.aborted) {
      try {
        if (await queue.settle(leased, end)) unsettled.delete(id)
        // The receiver is closed: the delivery is for others, who would not get to it if this hand took it again at once.
        if (end === RETURNED) await pause(PAUSE_MS, halt.signal)
        return
      } catch (error) {
        options.onError(error)
        await pause(PAUSE_MS, signal)
      }
    }
  }

  async function processDelivery(leased: LeasedDelivery, signal: AbortSignal): Promise<Settlement> {
    const { delivery, attempt } = leased
    const error = findHopeless(leased)
    if (error) {
      options.onError(new Error(`${delivery.topic}: ${error.code}. ${error.message} It is a dead letter now.`))
      return { state: 'dead', error, attempts: error === WORKER_LOST ? attempt - 1 : attempt }
    }
    try {
      await process(delivery, { number: attempt, signal })
      return HANDLED
    } catch (thrown) {
      const { retryable, excused, ...error } = toFailure(thrown)
      if (error.code === 'SHUTTING_DOWN') return RETURNED
      if (excused) return { state: 'returned', delayMs: options.delayMs(attempt) }
      if (!retryable || attempt >= options.attempts) return { state: 'dead', error, attempts: attempt }
      return { state: 'failed', delayMs: options.delayMs(attempt) }
    }
  }

  /** Why a delivery is not to be tried: with its last attempt it may take every worker along, one after another. */
  function findHopeless({ attempt, isDamaged, isLost }: LeasedDelivery): DeadLetter['error'] | undefined {
    if (isDamaged) return BODY_DAMAGED
    return isLost && attempt > options.attempts ? WORKER_LOST : undefined
  }

  async function renew(): Promise<void> {
    const renewed = [...jobs].map(async ([leased, { controller }]) => {
      if (!(await queue.renew(leased))) controller.abort(new Error('The delivery was lost to another worker.'))
    })
    await Promise.all(renewed).catch(options.onError)
  }

  async function returnDelivery(leased: LeasedDelivery): Promise<void> {
    await queue.settle(leased, RETURNED).catch(options.onError)
  }

  const looping = loop()
  const renewal = setInterval(renew, leaseMs / 3)
  return {
    poll: wakeup.notify,
    async stop({ timeoutMs } = {}) {
      halt.abort()
      wakeup.notify()
      const drained = looping.then(() => Promise.all([...jobs.values()].map(({ ended }) => ended)))
      await (timeoutMs === undefined ? drained : waitAtMost(drained, timeoutMs))
      clearInterval(renewal)
      const rest = [...jobs]
      for (const [, { controller }] of rest) controller.abort(new Error('The worker was stopped.'))
      // A claim that is under way still brings something, which is given back.
      await Promise.all([looping, ...rest.map(([leased]) => returnDelivery(leased))])
    },
  }
}

async function waitAtMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController()
  await Promise.race([promise, pause(ms, timer.signal)])
  timer.abort()
}

/** Ends early when it is told to. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {})
}
