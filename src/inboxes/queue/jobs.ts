import { LRUCache } from 'lru-cache'
import { MAX_TIMER_MS } from '../../core/deadline.ts'
import { WebhookError } from '../../core/errors.ts'
import { type ConsumeOptions, isStoredTopic, type ProcessDelivery } from '../../core/inbox/inbox.ts'
import { attemptDelivery, HANDLED, mustRunAlone, RETURNED } from './attempt-delivery.ts'
import { pause } from './pause.ts'
import type { DeliveryQueue, LeasedDelivery, LeaseRequest, Settlement } from './queue.ts'

/** The deliveries that one worker is handling. */
export interface Jobs {
  /** How many more deliveries may be started now, beside those that run and those of `leased`. */
  capacity(leased?: readonly LeasedDelivery[]): Pick<LeaseRequest, 'capacity' | 'capacityByTopic'>
  /** Starts a delivery: at once, or once nothing else runs if it has to run alone. */
  start(leased: LeasedDelivery): void
  /** Renews the leases, and aborts the jobs that have lost theirs. */
  renewLeases(): Promise<void>
  /** Returns what has not been started, and resolves when all jobs that are running now have ended. */
  drain(): Promise<void>
  /** Aborts the running jobs and returns their deliveries to the queue. */
  abort(): Promise<void>
  returnDelivery(leased: LeasedDelivery): Promise<void>
}

export interface JobsOptions extends ConsumeOptions {
  /** Aborted when the worker is told to stop. */
  readonly stopping: AbortSignal
  /** Called whenever a place has become free. */
  readonly onFree: () => void
}

interface Job {
  readonly leased: LeasedDelivery
  /** Aborted when the attempt takes too long, and together with `lease`. Given to the handlers. */
  readonly attempt: AbortController
  /** Aborted when the delivery belongs to somebody else. */
  readonly lease: AbortController
  /** Whether the attempt takes too long: another delivery may take its place. */
  isOverdue: boolean
  /** Whether the handlers have ended, and only the queue has to be told. */
  isHandled: boolean
  /** Resolves when the queue has been told of the end. */
  ended?: Promise<void>
}

/** Pause before a queue that has failed is called again. */
export const RETRY_MS = 1000

/** Soon, because a hundred may wait for each other, and not at once, because another worker may be free. */
const LATER: Settlement = { state: 'returned', delayMs: 100 }

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
  const { stopping, onFree, onError } = options
  // V8 keeps what was in a Map when it grew until its next full collection: jobs with their documents, here.
  const running: Job[] = []
  const waiting: LeasedDelivery[] = []
  const unsettled = new LRUCache<string, true>(UNSETTLED)

  function begin(leased: LeasedDelivery): void {
    const job: Job = {
      leased,
      attempt: new AbortController(),
      lease: new AbortController(),
      isOverdue: false,
      isHandled: false,
    }
    running.push(job)
    const stopWatching = watchAttempt(job, options, free)
    job.ended = run(job).finally(() => {
      stopWatching()
      running.splice(running.indexOf(job), 1)
      free()
    })
  }

  function free(): void {
    startAlone()
    onFree()
  }

  function startAlone(): void {
    const isBusy = running.some((job) => !isOver(job))
    const next = isBusy ? undefined : waiting.shift()
    if (next) begin(next)
  }

  async function run(job: Job): Promise<void> {
    const { leased, attempt, lease } = job
    const { id } = leased.delivery
    const settlement = unsettled.has(id) ? HANDLED : await attemptDelivery(leased, process, options, attempt.signal)
    // The handlers of a lost lease were aborted, and may have returned half done.
    if (settlement === HANDLED && !lease.signal.aborted) unsettled.set(id, true)
    const settling = settle(leased, settlement, lease.signal)
    // The next delivery can be leased together with this settlement.
    if (settlement === HANDLED) {
      job.isHandled = true
      free()
    }
    await settling
  }

  /** Tries until the queue has accepted the settlement, unless the delivery belongs to somebody else. */
  async function settle(leased: LeasedDelivery, settlement: Settlement, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await queue.settle(leased, settlement)) {
          unsettled.delete(leased.delivery.id)
          reportFailure(leased, settlement)
        }
        // The receiver is closed. Leasing the delivery again at once would keep it from other processes.
        if (settlement === RETURNED) await pause(RETRY_MS, stopping)
        return
      } catch (error) {
        onError(error)
        await pause(RETRY_MS, signal)
      }
    }
  }

  function reportFailure({ delivery: { id, topic }, attempt }: LeasedDelivery, settlement: Settlement): void {
    if (settlement.state !== 'failed' && settlement.state !== 'dead') return
    const { state, ...failure } = settlement
    options.onFailure?.({ ...failure, type: state === 'dead' ? 'dead' : 'retry-scheduled', id, topic, attempt })
  }

  async function returnDelivery(leased: LeasedDelivery): Promise<void> {
    await queue.settle(leased, RETURNED).catch(onError)
  }

  return {
    capacity(leased = []) {
      const active = [...running.flatMap((job) => (isOver(job) ? [] : job.leased)), ...leased]
      const settling = running.filter(({ isHandled }) => isHandled).length
      const isExclusive = waiting.length > 0 || active.some(mustRunAlone)
      return isExclusive || settling > options.concurrency
        ? { capacity: 0, capacityByTopic: new Map() }
        : countCapacity(active, options)
    },
    start(leased) {
      if (!mustRunAlone(leased)) {
        // One that must run alone may have begun while this one was being leased.
        if (running.some((job) => mustRunAlone(job.leased) && !isOver(job))) void returnDelivery(leased)
        else begin(leased)
      }
      // Several that may end the process would be lost together, without an attempt.
      else if ([...running.map((job) => job.leased), ...waiting].some(mustRunAlone))
        void settle(leased, LATER, stopping)
      else {
        waiting.push(leased)
        startAlone()
      }
    },
    async renewLeases() {
      const renewed = running.map(async (job) => {
        if (!(await queue.renew(job.leased))) abortJob(job, new WebhookError('IN_PROGRESS'))
      })
      await Promise.all([...renewed, ...waiting.map((leased) => queue.renew(leased))]).catch(onError)
    },
    async drain() {
      await Promise.all(waiting.splice(0).map(returnDelivery))
      await Promise.all(running.map(({ ended }) => ended))
    },
    async abort() {
      const jobs = [...running]
      for (const job of jobs) abortJob(job, new WebhookError('SHUTTING_DOWN'))
      await Promise.all(jobs.map(({ leased }) => returnDelivery(leased)))
    },
    returnDelivery,
  }
}

/** Whether another delivery may take its place. */
function isOver({ isOverdue, isHandled }: Job): boolean {
  return isOverdue || isHandled
}

function abortJob({ attempt, lease }: Job, reason: WebhookError): void {
  lease.abort(reason)
  attempt.abort(reason)
}

/**
 * Warns of an attempt when half of its time is over, and aborts it at the end. The delivery stays leased until the
 * handlers have ended, because they could do their work beside those of the next attempt otherwise.
 *
 * @param onOverdue is called when the attempt was aborted.
 * @returns a function that ends the watch.
 */
function watchAttempt(
  job: Job,
  { attemptTimeoutMs, onWarning = () => {} }: ConsumeOptions,
  onOverdue: () => void,
): () => void {
  const { topic } = job.leased.delivery
  const limit = attemptTimeoutMs && isStoredTopic(topic) ? attemptTimeoutMs(topic) : Number.POSITIVE_INFINITY
  const half = limit / 2
  if (half > MAX_TIMER_MS) return () => {}
  const warn = () => {
    onWarning(`An attempt takes longer than ${half} ms. It is aborted after ${limit} ms.`, topic)
    timer = setTimeout(expire, half)
  }
  const expire = () => {
    job.isOverdue = true
    job.attempt.abort(new WebhookError('DEADLINE_EXCEEDED', { message: `It took longer than ${limit} ms.` }))
    onWarning(`An attempt was aborted after ${limit} ms. Its delivery waits until the handler has ended.`, topic)
    onOverdue()
  }
  let timer = setTimeout(warn, half)
  return () => clearTimeout(timer)
}

function countCapacity(
  active: readonly LeasedDelivery[],
  { concurrency, concurrencyByTopic }: ConsumeOptions,
): Pick<LeaseRequest, 'capacity' | 'capacityByTopic'> {
  const capacityByTopic = new Map(Object.entries(concurrencyByTopic))
  for (const { delivery } of active) {
    const limit = capacityByTopic.get(delivery.topic)
    if (limit !== undefined) capacityByTopic.set(delivery.topic, limit - 1)
  }
  return { capacity: concurrency - active.length, capacityByTopic }
}
