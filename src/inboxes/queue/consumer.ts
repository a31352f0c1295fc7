import { type ConsumeOptions, isStoredTopic, type ProcessDelivery, type Worker } from '../../core/inbox/inbox.ts'
import { createSampling } from '../../core/sampling.ts'
import { createJobs, RETRY_MS } from './jobs.ts'
import { pause, waitAtMost } from './pause.ts'
import { type DeliveryQueue, type LeasedDelivery, NO_HANDLER } from './queue.ts'
import { createWakeup } from './wakeup.ts'

export interface Consumer extends Worker {
  /** Looks for deliveries now instead of at the next poll. */
  poll(): void
}

type LeaseAnswer = Promise<{ readonly leased: readonly LeasedDelivery[]; readonly isFull: boolean }>

/** The longest time until a delivery that another process has stored is found, where the queue cannot tell. */
const POLL_MS = 250

/**
 * The loop of a worker: leases deliveries from the queue and starts them, as many as its options allow, until it is
 * stopped.
 */
export function createConsumer(
  queue: Pick<DeliveryQueue, 'lease' | 'leasedAtOnce' | 'renew' | 'settle' | 'waitForWork'>,
  process: ProcessDelivery,
  options: ConsumeOptions,
  leaseMs: number,
): Consumer {
  const wakeup = createWakeup()
  const halt = new AbortController()
  const stopping = halt.signal
  const jobs = createJobs(queue, process, { ...options, stopping, onFree: wakeup.notify })
  const { onWarning = () => {} } = options
  const unhandled = createSampling()
  const leasedAtOnce = queue.leasedAtOnce
    ? Math.min(queue.leasedAtOnce, Math.ceil(options.concurrency / 2))
    : options.concurrency

  /** A delivery whose topic is damaged is leased, and becomes a dead letter. */
  function isHandled(topic: string): boolean {
    return !isStoredTopic(topic) || (options.isHandled?.(topic) ?? true)
  }

  function onUnhandled(topic: string, dead: number): void {
    if (dead > 0) options.onFailure?.({ type: 'dead', topic, error: NO_HANDLER, count: dead })
    else if (unhandled.count(topic) > 0) onWarning('Deliveries wait: this worker has no handler for the topic.', topic)
  }

  /**
   * Asks for deliveries, which are to run beside those of `leased` that have not been started yet. `undefined` if the
   * worker can take none.
   */
  function request(leased: readonly LeasedDelivery[] = []): LeaseAnswer | undefined {
    const { capacity, capacityByTopic } = jobs.capacity(leased)
    const wanted = Math.min(capacity, leasedAtOnce)
    if (wanted <= 0) return undefined
    const found = queue.lease({ capacity: wanted, capacityByTopic, isHandled, onUnhandled })
    const answer = found.then((all) => ({ leased: all, isFull: all.length >= wanted }))
    answer.catch(() => {}) // The loop may be busy when it fails, and finds the error afterwards.
    return answer
  }

  /** Waits until a job has ended, something was stored in this process, or the queue has something new. */
  async function waitForMore(): Promise<void> {
    if (!queue.waitForWork) return wakeup.wait(POLL_MS)
    const waiting = new AbortController()
    if (jobs.capacity().capacity > 0) {
      void queue.waitForWork(waiting.signal).then(() => {
        if (!waiting.signal.aborted) wakeup.notify()
      })
    }
    await wakeup.wait()
    waiting.abort()
  }

  async function loop(): Promise<void> {
    /** The answer that is under way. */
    let next: LeaseAnswer | undefined
    while (next || !stopping.aborted) {
      try {
        const asked = next ?? request()
        next = undefined
        const answer = await asked
        const leased = answer?.leased ?? []
        // Sent before the deliveries are started: a server looks for more while this process handles these.
        if (queue.leasedAtOnce && answer?.isFull && !stopping.aborted) next = request(leased)
        for (const one of leased) {
          if (stopping.aborted) await jobs.returnDelivery(one)
          else jobs.start(one)
        }
        if (!next) await waitForMore()
      } catch (error) {
        options.onError(error)
        await pause(RETRY_MS, stopping)
      }
    }
  }

  const looping = loop()
  const renewal = setInterval(jobs.renewLeases, leaseMs / 3)
  return {
    poll: wakeup.notify,
    async stop({ timeoutMs } = {}) {
      halt.abort()
      wakeup.notify()
      const drained = looping.then(jobs.drain)
      await (timeoutMs === undefined ? drained : waitAtMost(drained, timeoutMs))
      clearInterval(renewal)
      // A lease request that is still under way returns what it gets.
      await Promise.all([looping, jobs.abort()])
    },
  }
}
