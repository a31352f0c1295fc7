import { WebhookError } from '../errors.ts'

/** Counts what is in progress: everything, for `close` to wait for, and verified deliveries, which need a place. */
export interface Gate {
  /**
   * Counts a request or a stored delivery.
   *
   * @throws WebhookError `SHUTTING_DOWN`: then `end` must not be called.
   */
  begin(): void
  end(): void
  /** Whether there is no place: a request is refused before its body is read. */
  isFull(): boolean
  /**
   * Takes a place for a verified delivery.
   *
   * @throws WebhookError `OVERLOADED`: then `leave` must not be called.
   */
  enter(): void
  leave(): void
  /** Counts work in the background as a delivery with a place. The work never rejects. */
  count(work: Promise<unknown>): void
  /** Makes `close` wait for late handlers, without a place: one that never ends must not take a place for good. */
  waitFor(work: Promise<unknown>): void
  /** Refuses what begins from now on; resolves when nothing is in progress. */
  close(): Promise<void>
}

export function createGate(maxInFlight: number): Gate {
  const late = new Set<Promise<unknown>>()
  let begun = 0
  let inFlight = 0
  let onEmpty: (() => void) | undefined
  let closed: Promise<unknown> | undefined
  const end = () => {
    begun -= 1
    if (begun === 0) onEmpty?.()
  }
  const leave = () => {
    inFlight -= 1
  }
  return {
    begin() {
      if (closed) throw new WebhookError('SHUTTING_DOWN')
      begun += 1
    },
    end,
    isFull: () => inFlight >= maxInFlight,
    enter() {
      if (inFlight >= maxInFlight) throw new WebhookError('OVERLOADED')
      inFlight += 1
    },
    leave,
    count(work) {
      begun += 1
      inFlight += 1
      work.then(leave).then(end)
    },
    waitFor(work) {
      late.add(work)
      work.finally(() => late.delete(work))
    },
    async close() {
      closed ??= new Promise<void>((resolve) => {
        onEmpty = resolve
        if (begun === 0) resolve()
      }).then(() => Promise.all(late))
      await closed
    },
  }
}
