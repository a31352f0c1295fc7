import { checkMethods, checkOptions, oneOf, positiveInteger, wrongOption } from '../check-options.ts'
import { type Deadline, MAX_TIMER_MS } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { markStale, type WebhookEvent } from '../event/event.ts'
import { dispatch, type Run } from '../handle/dispatch.ts'
import type { Registration } from '../handle/handlers.ts'
import type { Logger } from '../logger.ts'
import { asPromise, type MaybePromise } from '../maybe-promise.ts'
import type { Observation, Subject } from '../observe.ts'
import { DUPLICATE, type Outcome, STALE } from '../outcome.ts'
import { identify } from '../verify/delivery.ts'
import { BY_TOPIC } from '../verify/identity.ts'
import { callStore, STORE_TIMEOUT_MS } from './call-store.ts'
import { createEventLease, type EventLease } from './event-lease.ts'
import { lookUpFormerKey } from './former-keys.ts'
import type { IdempotencyStore, Reservation, ResourceVersion } from './store.ts'
import { readKey, resourceVersion, storeKey } from './store-key.ts'
import { createEventWait } from './wait-for-event.ts'

export interface IdempotencyOptions {
  /** Records which events were handled: a driver of `hooklayer/stores/*`, or your own. */
  readonly store: IdempotencyStore
  /**
   * Milliseconds for which an event belongs to the process that handles it. The lease is renewed after every third of
   * it while the handlers run. After a process was killed, retries are answered 409 for this long. Default: 15,000.
   */
  readonly leaseMs?: number | undefined
  /** Milliseconds for which a handled event is known. Default: 7 days. */
  readonly retentionMs?: number | undefined
  /**
   * Gives the key of an event: events of a topic with the same key count as duplicates. Text of 1 to 900 bytes; anything
   * else is answered 500 `INTERNAL_ERROR`. For labelled secrets, organization and mode are added to it. Default:
   * `event.id`.
   */
  readonly key?: ((event: WebhookEvent) => string) | undefined
  /**
   * What happens while the store is down. `refuse` answers 503 `STORE_UNAVAILABLE` and runs nothing, so Commerce Layer
   * retries. `run` runs the handlers, which may run twice then. Default: `refuse`.
   */
  readonly onStoreError?: 'refuse' | 'run' | undefined
  /**
   * What happens to an event after a newer `updated_at` of the same resource was handled. `run` runs the handlers, with
   * `event.stale` set; `skip` acknowledges the event as `ignored`. Default: `run`.
   */
  readonly stale?: 'run' | 'skip' | undefined
}

/** An event that this process has reserved: no other process handles it. */
interface ReservedEvent {
  /** Starts the handlers that have not succeeded yet. The run ends when the store knows how they ended. */
  run(subject: Subject): Run
}

export interface Idempotency {
  /**
   * Reserves an event for its handlers, or gives the outcome that it had before: then there is nothing to run.
   *
   * @throws WebhookError `IN_PROGRESS`, `STORE_UNAVAILABLE`, or `INTERNAL_ERROR` if `key` gives no text.
   */
  reserve(event: WebhookEvent, handlers: readonly Registration[], deadline: Deadline): Promise<ReservedEvent | Outcome>
}

const RULES = {
  leaseMs: positiveInteger(15_000),
  retentionMs: positiveInteger(7 * 24 * 60 * 60 * 1000),
  onStoreError: oneOf('refuse', 'run'),
  stale: oneOf('run', 'skip'),
}

const STATES: readonly unknown[] = ['reserved', 'in-progress', 'completed'] satisfies Reservation['state'][]

/**
 * Makes the stage that handles each event once.
 *
 * @param waitFor is called with work that goes on after the answer.
 */
export function createIdempotency(
  options: IdempotencyOptions,
  logger: Logger,
  observation: Observation,
  waitFor: (rest: Promise<unknown>) => void,
): Idempotency {
  const settings = checkOptions('idempotency', options, RULES, ['store', 'key'])
  const { store, key } = options
  checkMethods('idempotency.store', store, ['reserve', 'renew', 'complete', 'release'])
  if (key !== undefined && typeof key !== 'function') throw wrongOption('idempotency', 'key', 'must be a function')
  /** Keys of events that were handled here while the store was down. */
  const unrecordedKeys = new Set<string>()
  const onUnrecorded = (unrecorded: string, recording: Promise<void>) => {
    unrecordedKeys.add(unrecorded)
    waitFor(recording.finally(() => unrecordedKeys.delete(unrecorded)))
  }

  const { leaseMs, retentionMs, onStoreError, stale } = settings
  const reserveOrWait = createEventWait()
  const formerKeysUntil = performance.now() + retentionMs

  /** `undefined` if the store failed and the handlers are to run all the same. */
  async function reserveKey(
    eventKey: string,
    version: ResourceVersion | undefined,
    deadline: Deadline,
    ms = leaseMs,
    names?: readonly string[],
  ): Promise<Reservation | undefined> {
    const reserving = asPromise(() => store.reserve(eventKey, { leaseMs: ms, version, names }))
    try {
      const reservation = await callStore(() => reserving, Math.min(STORE_TIMEOUT_MS, deadline.remaining()))
      if (!STATES.includes(reservation.state)) throw new TypeError('The store answered with an unknown state.')
      return reservation
    } catch (cause) {
      releaseWhenLate(eventKey, reserving, store, retentionMs)
      if (onStoreError === 'refuse') {
        throw new WebhookError('STORE_UNAVAILABLE', { cause, hint: 'The idempotency store failed.' })
      }
      logger.warn('The idempotency store failed, and the handlers run all the same.', { cause })
      return undefined
    }
  }

  /** A key that a function gives stood alone in 0.1. What was recorded then counts for as long as it was to be kept. */
  async function findFormer(event: WebhookEvent, lease: EventLease, deadline: Deadline) {
    if (!key || performance.now() > formerKeysUntil) return 'unknown'
    const formerKey = readKey(event, key)
    const version = resourceVersion(event, BY_TOPIC)
    const reserve = (ms: number) => reserveKey(formerKey, version, deadline, ms)
    return lookUpFormerKey(formerKey, reserve, lease, store, retentionMs)
  }

  return {
    async reserve(event, handlers, deadline) {
      const identity = await identify(event.delivery, deadline)
      const eventKey = await storeKey(event, identity, key)
      if (unrecordedKeys.has(eventKey)) return DUPLICATE
      const version = resourceVersion(event, identity)
      const names = handlers.filter(({ isNamed }) => isNamed).map(({ name }) => name)
      const reservation = await reserveOrWait(eventKey, deadline, () =>
        reserveKey(eventKey, version, deadline, leaseMs, names),
      )
      if (!reservation) return { run: (subject) => dispatch(event, handlers, logger, observation, subject) }
      if (reservation.state === 'completed') return DUPLICATE
      const { token, done, wasCompleted } = reservation
      const { topic } = event
      const lease = createEventLease({
        ...settings,
        ...{ store, key: eventKey, token, done, version, topic, logger, onUnrecorded },
      })
      const former = await orRelease(lease, findFormer(event, lease, deadline))
      if (former === 'in-progress') return orRelease(lease, Promise.reject(new WebhookError('IN_PROGRESS')))
      if (reservation.stale) markStale(event)
      const ended = former === 'completed' ? DUPLICATE : reservation.stale && stale === 'skip' ? STALE : undefined
      if (ended) {
        await lease.complete(ended === STALE ? names : undefined)
        return ended
      }
      // An event that was completed is done for all handlers without a name.
      const open = handlers.filter(({ name, isNamed }) => !lease.done.has(name) && (isNamed || !wasCompleted))
      const start = (subject: Subject) =>
        dispatch(event, open, logger, observation, subject, ({ name }) => lease.markDone(name))
      return { run: (subject) => holdLease(lease, start(subject), names, leaseMs) }
    },
  }
}

/**
 * Releases a reservation that arrives after the timeout. Otherwise the retry would be answered 409 until its lease
 * ends.
 */
function releaseWhenLate(
  key: string,
  reserving: Promise<Reservation>,
  store: IdempotencyStore,
  retentionMs: number,
): void {
  reserving
    .then((late) => late.state === 'reserved' && store.release(key, late.token, { done: late.done, retentionMs }))
    .catch(() => {})
}

/** Renews the lease of an event until its run has ended, and then records how. */
function holdLease(lease: EventLease, run: Run, names: readonly string[], leaseMs: number): Run {
  const renewal = setInterval(() => lease.renew(run.abort), Math.min(leaseMs / 3, MAX_TIMER_MS))
  return { ...run, ended: finishRun(run, lease, names).finally(() => clearInterval(renewal)) }
}

async function finishRun(run: Run, lease: EventLease, names: readonly string[]): Promise<Outcome> {
  const outcome = await orRelease(lease, run.ended)
  await lease.complete(names)
  return outcome
}

/** Gives the event back if the work fails. */
async function orRelease<T>(lease: EventLease, work: MaybePromise<T>): Promise<T> {
  try {
    return await work
  } catch (thrown) {
    await lease.release()
    throw thrown
  }
}
