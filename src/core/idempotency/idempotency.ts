import { checkMethods, checkOptions } from '../check-options.ts'
import { type Deadline, MAX_TIMER_MS, withTimeout } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { markStale, type WebhookEvent } from '../event/event.ts'
import { dispatch, type Run } from '../handle/dispatch.ts'
import type { Registration } from '../handle/handlers.ts'
import type { Logger } from '../logger.ts'
import { DUPLICATE, IGNORED, type Outcome } from '../outcome.ts'
import type { IdempotencyStore, Reservation, ResourceVersion } from './store.ts'

export interface IdempotencyOptions {
  /** Where it is remembered which events were handled: a driver of `hooklayer/stores/*`, or your own. */
  readonly store: IdempotencyStore
  /**
   * Milliseconds for which an event belongs to the process that handles it. It is renewed three times as often for as long as
   * the handlers run, so it bounds one thing: how long a retry is answered 409 after that process was killed. Default: 15,000.
   */
  readonly leaseMs?: number
  /** Milliseconds for which a handled event is remembered. Default: 7 days. */
  readonly retentionMs?: number
  /** What makes two events the same. Default: `event.id`. */
  readonly key?: (event: WebhookEvent) => string
  /**
   * What to do while the store is down. `refuse` answers 503 `STORE_UNAVAILABLE` and runs nothing: the sender comes again.
   * `run` runs the handlers all the same, and risks that they run twice. Default: `refuse`.
   */
  readonly onStoreError?: 'refuse' | 'run'
  /**
   * What to do with an event after a newer `updated_at` of the same resource was handled. `run` runs the handlers, which are
   * told by `event.stale`; `skip` acknowledges it as `ignored`. Default: `run`.
   */
  readonly stale?: 'run' | 'skip'
}

/** An event that is this process's to handle, once. */
interface ReservedEvent {
  /** Starts the handlers that have not done their part yet; it ends when the store knows how they ended. */
  run(registrations: readonly Registration[]): Run
}

export interface Idempotency {
  /**
   * Claims an event, or says how it ended before: then there is nothing to run.
   *
   * @throws WebhookError `IN_PROGRESS` or `STORE_UNAVAILABLE`.
   */
  reserve(event: WebhookEvent, deadline: Deadline): Promise<ReservedEvent | Outcome>
}

/** A store that is slower than this is as good as down: the handlers need what is left until the deadline. */
const STORE_TIMEOUT_MS = 1500

/** After how many milliseconds the store is told again of an event that was handled; they double until the last time. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 12_800

/** @param waitFor is given what goes on after the answer. */
export function createIdempotency(
  options: IdempotencyOptions,
  logger: Logger,
  waitFor: (rest: Promise<unknown>) => void,
): Idempotency {
  const { store, key = defaultKey, ...given } = options
  checkMethods('idempotency.store', store, ['reserve', 'renew', 'complete', 'release'])
  if (typeof key !== 'function') throw new TypeError('`idempotency.key` is not a function.')
  const { leaseMs, retentionMs, onStoreError, stale } = checkOptions('idempotency', given, DEFAULTS, {
    onStoreError: ['refuse', 'run'],
    stale: ['run', 'skip'],
  })
  /** Events that were handled here, of which the store could not be told yet. */
  const unrecordedKeys = new Set<string>()

  async function reserveEvent(event: WebhookEvent, deadline: Deadline): Promise<ReservedEvent | Outcome> {
    const id = key(event)
    if (unrecordedKeys.has(id)) return DUPLICATE
    const version = resourceVersion(event)
    const reservation = await reserve(id, version, deadline)
    if (!reservation) return { run: (registrations) => dispatch(event, registrations, logger) }
    if (reservation.state === 'completed') return DUPLICATE
    if (reservation.state === 'in-progress') throw new WebhookError('IN_PROGRESS')
    const { token, done } = reservation
    const lease = createLease(id, token, new Set(done), version, event.topic)
    if (reservation.stale) markStale(event)
    if (reservation.stale && stale === 'skip') {
      await lease.complete()
      return IGNORED
    }
    return { run: (registrations) => runWithLease(lease, event, registrations) }
  }

  async function reserve(
    id: string,
    version: ResourceVersion | undefined,
    deadline: Deadline,
  ): Promise<Reservation | undefined> {
    const reserving = asPromise(() => store.reserve(id, { leaseMs, version }))
    try {
      return await withTimeout(reserving, Math.min(STORE_TIMEOUT_MS, deadline.remaining()), timeoutError)
    } catch (cause) {
      releaseLateReservation(id, reserving)
      if (onStoreError === 'refuse') {
        throw new WebhookError('STORE_UNAVAILABLE', { cause, hint: 'The idempotency store failed.' })
      }
      logger.warn('The idempotency store failed, and the handlers run all the same.', { cause })
      return undefined
    }
  }

  /** A claim that comes after all would keep the retry waiting until its lease has run out. */
  function releaseLateReservation(id: string, reserving: Promise<Reservation>): void {
    reserving
      .then((late) => late.state === 'reserved' && store.release(id, late.token, { done: late.done, retentionMs }))
      .catch(() => {})
  }

  function runWithLease(lease: Lease, event: WebhookEvent, registrations: readonly Registration[]): Run {
    const rest = registrations.filter(({ name }) => !lease.done.has(name))
    const run = dispatch(event, rest, logger, ({ name }) => lease.add(name))
    const keep = setInterval(() => lease.renew(run.abort), Math.min(leaseMs / 3, MAX_TIMER_MS))
    return { ...run, ended: finishRun(run, lease).finally(() => clearInterval(keep)) }
  }

  async function finishRun(run: Run, lease: Lease): Promise<Outcome> {
    let outcome: Outcome
    try {
      outcome = await run.ended
    } catch (thrown) {
      await lease.release()
      throw thrown
    }
    await lease.complete()
    return outcome
  }

  function createLease(
    id: string,
    token: string,
    done: Set<string>,
    version: ResourceVersion | undefined,
    topic: string,
  ): Lease {
    const progress = () => ({ leaseMs, retentionMs, done: [...done] })
    const record = () => store.complete(id, token, { retentionMs, version })
    let isOver = false
    return {
      done,
      add(name) {
        done.add(name)
        setTimeout(() => isOver || asPromise(() => store.renew(id, token, progress())).catch(() => {}), 0)
      },
      async renew(abort) {
        const held = await asPromise(() => store.renew(id, token, progress())).catch(() => true)
        if (!held && !isOver) abort(new WebhookError('IN_PROGRESS'))
      },
      async complete() {
        isOver = true
        try {
          const isHeld = await withinStoreTimeout(record)
          if (!isHeld) logger.warn(`${topic}: another process took the event over, and may have run its handlers too.`)
        } catch (cause) {
          logger.warn(`${topic} was handled, but the idempotency store could not be told.`, { cause })
          unrecordedKeys.add(id)
          waitFor(recordLater(record, topic).finally(() => unrecordedKeys.delete(id)))
        }
      },
      async release() {
        isOver = true
        await withinStoreTimeout(() => store.release(id, token, progress())).catch((cause: unknown) => {
          logger.warn(`${topic} could not be given back: its retry waits for the lease to run out.`, { cause })
        })
      },
    }
  }

  async function recordLater(record: () => Promise<boolean>, topic: string): Promise<void> {
    for (let ms = FIRST_RETRY_MS; ms <= LAST_RETRY_MS; ms *= 2) {
      await new Promise((resolve) => setTimeout(resolve, ms))
      try {
        await withinStoreTimeout(record)
        return
      } catch {}
    }
    logger.error(
      `${topic} was handled, and the idempotency store was never told: its retry would run the handlers again.`,
    )
  }

  return { reserve: reserveEvent }
}

/** What is done with a claim. */
interface Lease {
  /** Names of the handlers that have done their part. */
  readonly done: Set<string>
  add(name: string): void
  renew(abort: (reason: WebhookError) => void): Promise<void>
  /** Neither rejects: the handlers have ended, and what the store makes of it does not change how. */
  complete(): Promise<void>
  release(): Promise<void>
}

/** As a promise, even if a driver throws. */
async function asPromise<T>(question: () => Promise<T>): Promise<T> {
  return question()
}

function withinStoreTimeout<T>(question: () => Promise<T>): Promise<T> {
  return withTimeout(asPromise(question), STORE_TIMEOUT_MS, timeoutError)
}

function timeoutError(): Error {
  return new Error('The idempotency store did not answer in time.')
}

/** A document that has no canonical form is known by its bytes. */
function defaultKey(event: WebhookEvent): string {
  try {
    return event.id
  } catch {
    return event.delivery.id
  }
}

function resourceVersion({ resource }: WebhookEvent): ResourceVersion | undefined {
  const { type, id, updated_at: updatedAt } = resource as { type: string; id: string; updated_at?: unknown }
  return typeof updatedAt === 'string' ? { resource: `${type}/${id}`, updatedAt } : undefined
}

const DEFAULTS = {
  leaseMs: 15_000,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  onStoreError: 'refuse' as 'refuse' | 'run',
  stale: 'run' as 'run' | 'skip',
}
