import { WebhookError } from './errors.ts'

/** Counts what is under way, and lets no more deliveries in than it should. */
export interface Gate {
  /** Lets a delivery in, or says why not: then there is nothing to leave. */
  enter(): WebhookError | undefined
  leave(): void
  /** Keeps the gate from being empty while work goes on whose delivery has left: handlers that are late. */
  waitFor(work: Promise<unknown>): void
  /** Refuses whatever comes from now on; resolves when nothing is under way any more. */
  close(): Promise<void>
}

export function createGate(maxInFlight: number): Gate {
  const late = new Set<Promise<unknown>>()
  let inFlight = 0
  let onEmpty: (() => void) | undefined
  let closed: Promise<unknown> | undefined
  return {
    enter() {
      if (closed) return new WebhookError('SHUTTING_DOWN')
      if (inFlight >= maxInFlight) return new WebhookError('OVERLOADED')
      inFlight += 1
      return undefined
    },
    leave() {
      inFlight -= 1
      if (inFlight === 0) onEmpty?.()
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
