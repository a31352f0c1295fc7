import { WebhookError } from '../errors.ts'

/** Counts the deliveries in progress, and refuses more than the limit. */
export interface Gate {
  /** Counts a delivery, or gives the error for which it is refused: then `leave` must not be called. */
  enter(): WebhookError | undefined
  leave(): void
  /** Counts work in the background as a delivery. The work never rejects. */
  count(work: Promise<unknown>): void
  /**
   * Makes `close` wait for late handlers. They do not count toward `maxInFlight`: one that never ends would block a
   * place forever.
   */
  waitFor(work: Promise<unknown>): void
  /** Refuses new deliveries; resolves when no delivery is in progress. */
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
