import { LRUCache } from 'lru-cache'
import type { ConsumeOptions, ProcessDelivery } from '../../core/inbox/inbox.ts'
import { attemptDelivery, HANDLED, RETURNED } from './attempt-delivery.ts'
import { pause } from './pause.ts'
import type { DeliveryQueue, LeasedDelivery, LeaseRequest, Settlement } from './queue.ts'

/** The deliveries that one worker is handling. */
export interface Jobs {
  /** How many more deliveries may be started now. */
  capacity(): LeaseRequest
  start(leased: LeasedDelivery): void
  /** Renews the leases, and aborts the jobs that have lost theirs. */
  renewLeases(): Promise<void>
  /** Resolves when all jobs that are running now have ended. */
  drain(): Promise<void>
  /** Aborts the running jobs and returns their deliveries to the queue. */
  abort(): Promise<void>
  returnDelivery(leased: LeasedDelivery): Promise<void>
}

export interface JobsOptions extends ConsumeOptions {
  /** Aborted when the worker is told to stop. */
  readonly stopping: AbortSignal
  /** Called whenever a job has ended. */
  readonly onEnded: () => void
}

interface Job {
  readonly controller: AbortController
  readonly ended: Promise<void>
}

/** Pause before a queue that has failed is called again. */
export const RETRY_MS = 1000

/**
 * Deliveries that were handled here but could not be settled, because the queue failed until the lease was over. They
 * are not handled a second time when this worker leases them again.
 */
const UNSETTLED = { max: 1000, ttl: 24 * 60 * 60 * 1000 }

export function createJobs(
  queue: Pick<DeliveryQueue, 'renew' | 'settle'>,
  process: ProcessDelivery,
  options: JobsOptions,
): Jobs {
  const { stopping, onEnded, onError } = options
  const running = new Map<LeasedDelivery, Job>()
  const unsettled = new LRUCache<string, true>(UNSETTLED)

  async function run(leased: LeasedDelivery, signal: AbortSignal): Promise<void> {
    const { id } = leased.delivery
    const settlement = unsettled.has(id) ? HANDLED : await attemptDelivery(leased, process, options, signal)
    // An aborted handler may have returned half done.
    if (settlement === HANDLED && !signal.aborted) unsettled.set(id, true)
    await settle(leased, settlement, signal)
  }

  /**
   * Tries until the queue has accepted the settlement. An aborted job must not settle: the delivery belongs to another
   * worker.
   */
  async function settle(leased: LeasedDelivery, settlement: Settlement, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await queue.settle(leased, settlement)) unsettled.delete(leased.delivery.id)
        // The receiver is closed. Leasing the delivery again at once would keep it from other processes.
        if (settlement === RETURNED) await pause(RETRY_MS, stopping)
        return
      } catch (error) {
        onError(error)
        await pause(RETRY_MS, signal)
      }
    }
  }

  async function returnDelivery(leased: LeasedDelivery): Promise<void> {
    await queue.settle(leased, RETURNED).catch(onError)
  }

  return {
    capacity: () => countCapacity(running, options),
    start(leased) {
      const controller = new AbortController()
      const ended = run(leased, controller.signal).finally(() => {
        running.delete(leased)
        onEnded()
      })
      running.set(leased, { controller, ended })
    },
    async renewLeases() {
      const renewed = [...running].map(async ([leased, { controller }]) => {
        if (!(await queue.renew(leased))) controller.abort(new Error('The delivery was leased by another worker.'))
      })
      await Promise.all(renewed).catch(onError)
    },
    async drain() {
      await Promise.all([...running.values()].map(({ ended }) => ended))
    },
    async abort() {
      const jobs = [...running]
      for (const [, { controller }] of jobs) controller.abort(new Error('The worker was stopped.'))
      await Promise.all(jobs.map(([leased]) => returnDelivery(leased)))
    },
    returnDelivery,
  }
}

function countCapacity(
  running: ReadonlyMap<LeasedDelivery, Job>,
  { concurrency, concurrencyByTopic }: ConsumeOptions,
): LeaseRequest {
  const capacityByTopic = new Map(Object.entries(concurrencyByTopic))
  for (const { delivery } of running.keys()) {
    const limit = capacityByTopic.get(delivery.topic)
    if (limit !== undefined) capacityByTopic.set(delivery.topic, limit - 1)
  }
  return { capacity: concurrency - running.size, capacityByTopic }
}
