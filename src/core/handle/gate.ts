import { WebhookError } from '../errors.ts'

/** Counts what is under way, and lets no more deliveries in than it should. */
export interface Gate {
  /** Lets a delivery in, or says why not: then there is nothing to leave. */
  enter(): WebhookError | undefined
  leave(): void
  /** Counts work in the background, which never rejects, as a delivery of its own. */
  count(work: Promise<unknown>): void
  /** Makes `close` wait for handlers that are late, without counting them: one that never ends must not take a place for good. */
  waitFor(work: Promise<unknown>): void
  /** Refuses whatever comes from now on; resolves when nothing is under way any more. */
  close(): Promise<void>
}

export function createGate(maxInFlight: number): Gate {
  const late = new Set<Promise<unknown>>()
  let inFlight = 0
  let onEmpty: (() => void) | undefined
  let closed: Promise<unknown> | undefined
  const leave = () => {
    inFlight -= 1
    if (inFlight === 0) onEmpty?.()
  }
  return {
    enter() {
      if (closed) return new WebhookError('SHUTTING_DOWN')
      if (inFlight >= maxInFlight) return new WebhookError('OVERLOADED')
      inFlight += 1
      return undefined
    },
    leave,
    count(work) {
      inFlight += 1
      work.then(leave)
    },
    waitFor(work) {
      late.add(work)
      work.finally(() => late.delete(work))
    },
    async close() {
      closed ??= new Promise<void>((resolve) => {
        onEmpty = resolve
        if (inFlight === 0) resolve()
      }).then(() => Promise.all(late))
      await closed
    },
  }
}
