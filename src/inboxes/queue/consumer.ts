import { type ConsumeOptions, isStoredTopic, type ProcessDelivery, type Worker } from '../../core/inbox/inbox.ts'
import { createSampling } from '../../core/sampling.ts'
import { createJobs, RETRY_MS } from './jobs.ts'
import { pause, waitAtMost } from './pause.ts'
import { type DeliveryQueue, NO_HANDLER } from './queue.ts'
import { createWakeup } from './wakeup.ts'

export interface Consumer extends Worker {
  /** Looks for deliveries now instead of at the next poll. */
  poll(): void
}

/** The longest time until a delivery that another process has stored is found, where the queue cannot tell. */
const POLL_MS = 250

/**
 * The loop of a worker: leases deliveries from the queue and starts them, as many as its options allow, until it is
 * stopped.
 */
export function createConsumer(
  queue: Pick<DeliveryQueue, 'lease' | 'renew' | 'settle' | 'waitForWork'>,
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

  /** A delivery whose topic is damaged is leased, and becomes a dead letter. */
  function isHandled(topic: string): boolean {
    return !isStoredTopic(topic) || (options.isHandled?.(topic) ?? true)
  }

  function onUnhandled(topic: string, dead: number): void {
    if (dead > 0) options.onFailure?.({ type: 'dead', topic, error: NO_HANDLER, count: dead })
    else if (unhandled.count(topic) > 0) onWarning('Deliveries wait: this worker has no handler for the topic.', topic)
  }

  async function startReady(): Promise<void> {
    const free = jobs.capacity()
    if (free.capacity === 0) return
    for (const leased of await queue.lease({ ...free, isHandled, onUnhandled })) {
      if (stopping.aborted) await jobs.returnDelivery(leased)
      else jobs.start(leased)
    }
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
    while (!stopping.aborted) {
      try {
        await startReady()
        await waitForMore()
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
