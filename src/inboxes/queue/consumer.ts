import type { ConsumeOptions, ProcessDelivery, Worker } from '../../core/inbox/inbox.ts'
import { createJobs, RETRY_MS } from './jobs.ts'
import { pause, waitAtMost } from './pause.ts'
import type { DeliveryQueue } from './queue.ts'
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
  const jobs = createJobs(queue, process, { ...options, stopping, onEnded: wakeup.notify })

  async function startReady(): Promise<void> {
    const request = jobs.capacity()
    if (request.capacity === 0) return
    for (const leased of await queue.lease(request)) {
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
