import {
  type CheckedOptions,
  checkMethods,
  checkOptions,
  oneOf,
  positiveInteger,
  wrongOption,
} from '../check-options.ts'
import { type Deadline, MAX_TIMER_MS } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { markStale, type WebhookEvent } from '../event/event.ts'
import { dispatch, type Run } from '../handle/dispatch.ts'
import type { Registration } from '../handle/handlers.ts'
import type { Logger } from '../logger.ts'
import { DUPLICATE, IGNORED, type Outcome } from '../outcome.ts'
import { asPromise, callStore, STORE_TIMEOUT_MS } from './call-store.ts'
import { createEventLease, type EventLease } from './event-lease.ts'
import type { IdempotencyStore, Reservation, ResourceVersion } from './store.ts'

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
  /** Gives the key of an event: events with the same key count as duplicates. Default: `event.id`. */
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
  run(registrations: readonly Registration[]): Run
}

export interface Idempotency {
  /**
   * Reserves an event, or gives the outcome that it had before: then there is nothing to run.
   *
   * @throws WebhookError `IN_PROGRESS` or `STORE_UNAVAILABLE`.
   */
  reserve(event: WebhookEvent, deadline: Deadline): Promise<ReservedEvent | Outcome>
}

const RULES = {
  leaseMs: positiveInteger(15_000),
  retentionMs: positiveInteger(7 * 24 * 60 * 60 * 1000),
  onStoreError: oneOf('refuse', 'run'),
  stale: oneOf('run', 'skip'),
}

/**
 * Makes the stage that handles each event once.
 *
 * @param waitFor is called with work that goes on after the answer.
 */
export function createIdempotency(
  options: IdempotencyOptions,
  logger: Logger,
  waitFor: (rest: Promise<unknown>) => void,
): Idempotency {
  const settings = checkOptions('idempotency', options, RULES, ['store', 'key'])
  const { store, key = defaultKey } = options
  checkMethods('idempotency.store', store, ['reserve', 'renew', 'complete', 'release'])
  if (typeof key !== 'function') throw wrongOption('idempotency', 'key', 'must be a function')
  /** Keys of events that were handled here while the store was down. */
  const unrecordedKeys = new Set<string>()
  const onUnrecorded = (unrecorded: string, recording: Promise<void>) => {
    unrecordedKeys.add(unrecorded)
    waitFor(recording.finally(() => unrecordedKeys.delete(unrecorded)))
  }

  return {
    async reserve(event, deadline) {
      const eventKey = key(event)
      if (unrecordedKeys.has(eventKey)) return DUPLICATE
      const version = resourceVersion(event)
      const reservation = await reserveKey(eventKey, version, deadline, store, settings, logger)
      if (!reservation) return { run: (registrations) => dispatch(event, registrations, logger) }
      if (reservation.state === 'completed') return DUPLICATE
      if (reservation.state === 'in-progress') throw new WebhookError('IN_PROGRESS')
      const { token, done } = reservation
      const { topic } = event
      const lease = createEventLease({
        ...settings,
        store,
        key: eventKey,
        token,
        done,
        version,
        topic,
        logger,
        onUnrecorded,
      })
      if (reservation.stale) markStale(event)
      if (reservation.stale && settings.stale === 'skip') {
        await lease.complete()
        return IGNORED
      }
      return { run: (registrations) => runWithLease(lease, event, registrations, settings.leaseMs, logger) }
    },
  }
}

/** `undefined` if the store failed and the handlers are to run all the same. */
async function reserveKey(
  key: string,
  version: ResourceVersion | undefined,
  deadline: Deadline,
  store: IdempotencyStore,
  { leaseMs, retentionMs, onStoreError }: CheckedOptions<typeof RULES>,
  logger: Logger,
): Promise<Reservation | undefined> {
  const reserving = asPromise(() => store.reserve(key, { leaseMs, version }))
  try {
    return await callStore(() => reserving, Math.min(STORE_TIMEOUT_MS, deadline.remaining()))
  } catch (cause) {
    releaseWhenLate(key, reserving, store, retentionMs)
    if (onStoreError === 'refuse') {
      throw new WebhookError('STORE_UNAVAILABLE', { cause, hint: 'The idempotency store failed.' })
    }
    logger.warn('The idempotency store failed, and the handlers run all the same.', { cause })
    return undefined
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

function runWithLease(
  lease: EventLease,
  event: WebhookEvent,
  registrations: readonly Registration[],
  leaseMs: number,
  logger: Logger,
): Run {
  const open = registrations.filter(({ name }) => !lease.done.has(name))
  const run = dispatch(event, open, logger, ({ name }) => lease.markDone(name))
  const renewal = setInterval(() => lease.renew(run.abort), Math.min(leaseMs / 3, MAX_TIMER_MS))
  return { ...run, ended: finishRun(run, lease).finally(() => clearInterval(renewal)) }
}

async function finishRun(run: Run, lease: EventLease): Promise<Outcome> {
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

/** A document without a canonical form is known by its bytes. */
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
