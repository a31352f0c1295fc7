import { pause } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { asPromise } from '../maybe-promise.ts'
import { callStore } from './call-store.ts'
import type { IdempotencyStore, ResourceVersion } from './store.ts'

/** The lease of an event, while its handlers run in this process. */
export interface EventLease {
  /** Names of the handlers that have succeeded. */
  readonly done: ReadonlySet<string>
  /** Records that a handler has succeeded. */
  markDone(name: string): void
  /** Extends the lease, and calls `abort` if another process holds the event. */
  renew(abort: (reason: WebhookError) => void): Promise<void>
  /**
   * Records that the event was handled, by handlers of these names. Without names it counts as handled by all. Never
   * rejects: an error of the store cannot change the outcome any more.
   */
  complete(names?: readonly string[]): Promise<void>
  /** Gives the event back, for a retry. Never rejects. */
  release(): Promise<void>
}

export interface EventLeaseOptions {
  readonly store: IdempotencyStore
  readonly key: string
  readonly token: string
  /** Names of the handlers that have succeeded under earlier reservations. */
  readonly done: readonly string[]
  readonly version: ResourceVersion | undefined
  readonly topic: string
  readonly leaseMs: number
  readonly retentionMs: number
  readonly logger: Logger
  /** Called with the attempts to record a handled event that the store could not be told of. */
  readonly onUnrecorded: (key: string, recording: Promise<void>) => void
}

/** Milliseconds between attempts to record a handled event: the first pause, which doubles up to the last one. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 12_800

export function createEventLease(options: EventLeaseOptions): EventLease {
  const { store, key, token, version, topic, leaseMs, retentionMs, logger, onUnrecorded } = options
  const done = new Set(options.done)
  const renewOptions = () => ({ leaseMs, retentionMs, done: [...done] })
  const renew = () => asPromise(() => store.renew(key, token, renewOptions()))
  let isSettled = false
  return {
    done,
    markDone(name) {
      done.add(name)
      setTimeout(() => isSettled || renew().catch(() => {}), 0)
    },
    async renew(abort) {
      const isHeld = await renew().catch(() => true)
      if (!isHeld && !isSettled) abort(new WebhookError('IN_PROGRESS'))
    },
    async complete(names) {
      isSettled = true
      const record = () => store.complete(key, token, { retentionMs, version, done: names })
      try {
        const isHeld = await callStore(record)
        if (!isHeld) logger.warn(`${topic}: another process took the event over, and may have run its handlers too.`)
      } catch (cause) {
        logger.warn(`${topic} was handled, but the idempotency store could not record it.`, { cause })
        onUnrecorded(key, recordLater(record, topic, logger))
      }
    },
    async release() {
      isSettled = true
      await callStore(() => store.release(key, token, renewOptions())).catch((cause: unknown) => {
        logger.warn(`${topic} could not be released: its retry waits until the lease has run out.`, { cause })
      })
    },
  }
}

async function recordLater(record: () => Promise<boolean>, topic: string, logger: Logger): Promise<void> {
  for (let ms = FIRST_RETRY_MS; ms <= LAST_RETRY_MS; ms *= 2) {
    await pause(ms)
    try {
      await callStore(record)
      return
    } catch {}
  }
  logger.error(
    `${topic} was handled, but the idempotency store never recorded it: a retry would run the handlers again.`,
  )
}
