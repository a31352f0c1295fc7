import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { type ConsumeOptions, type Consumer, type DeadLetter, failureOf, type ProcessDelivery } from '../core/inbox.ts'
import { createBell } from './bell.ts'
import { BODY_DAMAGED, type Claimed, type End, type Shelf, WORKER_LOST } from './shelf.ts'

export interface Consuming extends Consumer {
  /** There may be something to do. */
  look(): void
}

interface Job {
  readonly controller: AbortController
  readonly ended: Promise<void>
}

/** How long it takes at most until what another process has put is seen. */
const POLL_MS = 250
/** How long a shelf that failed is left alone. */
const PAUSE_MS = 1000

/** How many deliveries are known, and for how long, that were handled here but handed out again before the shelf could be told. */
const UNTOLD = { max: 1000, ttl: 24 * 60 * 60 * 1000 }

const HANDLED: End = { state: 'handled' }
const RETURNED: End = { state: 'returned', delayMs: 0 }

/** Takes deliveries from a shelf into as many hands as it is told, until it is stopped. */
export function consume(
  shelf: Pick<Shelf, 'claim' | 'renew' | 'settle'>,
  process: ProcessDelivery,
  options: ConsumeOptions,
  leaseMs: number,
): Consuming {
  const jobs = new Map<Claimed, Job>()
  const untold = new LRUCache<string, true>(UNTOLD)
  const bell = createBell()
  const halt = new AbortController()

  async function loop(): Promise<void> {
    while (!halt.signal.aborted) {
      try {
        for (const claimed of await claim()) await (halt.signal.aborted ? giveBack(claimed) : start(claimed))
        await bell.wait(POLL_MS)
      } catch (error) {
        options.onError(error)
        await pause(PAUSE_MS, halt.signal)
      }
    }
  }

  async function claim(): Promise<readonly Claimed[]> {
    const hands = options.concurrency - jobs.size
    if (hands === 0) return []
    const handsByTopic = new Map(Object.entries(options.concurrencyByTopic))
    for (const { delivery } of jobs.keys()) {
      const limit = handsByTopic.get(delivery.topic)
      if (limit !== undefined) handsByTopic.set(delivery.topic, limit - 1)
    }
    return shelf.claim({ hands, handsByTopic })
  }

  function start(claimed: Claimed): void {
    const controller = new AbortController()
    const ended = handle(claimed, controller.signal).finally(() => {
      jobs.delete(claimed)
      bell.ring()
    })
    jobs.set(claimed, { controller, ended })
  }

  /** What has become of a delivery that was lost or given back is another's to say. */
  async function handle(claimed: Claimed, signal: AbortSignal): Promise<void> {
    const { id } = claimed.delivery
    const end = untold.has(id) ? HANDLED : await endOf(claimed, signal)
    // What ended because it was told to stop may be half done.
    if (end === HANDLED && !signal.aborted) untold.set(id, true)
    while (!signal.aborted) {
      try {
        if (await shelf.settle(claimed, end)) untold.delete(id)
        // The receiver is closed: the delivery is for others, who would not get to it if this hand took it again at once.
        if (end === RETURNED) await pause(PAUSE_MS, halt.signal)
        return
      } catch (error) {
        options.onError(error)
        await pause(PAUSE_MS, signal)
      }
    }
  }

  async function endOf(claimed: Claimed, signal: AbortSignal): Promise<End> {
    const { delivery, attempt } = claimed
    const error = whyHopeless(claimed)
    if (error) {
      options.onError(new Error(`${delivery.topic}: ${error.code}. ${error.message} It is a dead letter now.`))
      return { state: 'dead', error, attempts: error === WORKER_LOST ? attempt - 1 : attempt }
    }
    try {
      await process(delivery, { number: attempt, signal })
      return HANDLED
    } catch (thrown) {
      const { retryable, excused, ...error } = failureOf(thrown)
      if (error.code === 'SHUTTING_DOWN') return RETURNED
      if (excused) return { state: 'returned', delayMs: options.delayMs(attempt) }
      if (!retryable || attempt >= options.attempts) return { state: 'dead', error, attempts: attempt }
      return { state: 'failed', delayMs: options.delayMs(attempt) }
    }
  }

  /** Why a delivery is not to be tried: with its last attempt it may take every worker along, one after another. */
  function whyHopeless({ attempt, isDamaged, isLost }: Claimed): DeadLetter['error'] | undefined {
    if (isDamaged) return BODY_DAMAGED
    return isLost && attempt > options.attempts ? WORKER_LOST : undefined
  }

  async function renew(): Promise<void> {
    const renewed = [...jobs].map(async ([claimed, { controller }]) => {
      if (!(await shelf.renew(claimed))) controller.abort(new Error('The delivery was lost to another worker.'))
    })
    await Promise.all(renewed).catch(options.onError)
  }

  async function giveBack(claimed: Claimed): Promise<void> {
    await shelf.settle(claimed, RETURNED).catch(options.onError)
  }

  const looping = loop()
  const renewal = setInterval(renew, leaseMs / 3)
  return {
    look: bell.ring,
    async stop({ timeoutMs } = {}) {
      halt.abort()
      bell.ring()
      const drained = looping.then(() => Promise.all([...jobs.values()].map(({ ended }) => ended)))
      await (timeoutMs === undefined ? drained : atMost(drained, timeoutMs))
      clearInterval(renewal)
      const rest = [...jobs]
      for (const [, { controller }] of rest) controller.abort(new Error('The worker was stopped.'))
      // A claim that is under way still brings something, which is given back.
      await Promise.all([looping, ...rest.map(([claimed]) => giveBack(claimed))])
    },
  }
}

async function atMost(promise: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController()
  await Promise.race([promise, pause(ms, timer.signal)])
  timer.abort()
}

/** Ends early when it is told to. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal }).catch(() => {})
}
