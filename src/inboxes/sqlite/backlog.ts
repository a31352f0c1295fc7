import type { InboxStatements } from './statements.ts'

/** Compares the number of open deliveries with `maxQueued`. */
export interface Backlog {
  hasRoom(): boolean
  /** Records that this process has stored one more delivery. */
  add(): void
}

/** How long a count is used before the next one. Other processes may pass the limit by what they store meanwhile. */
const COUNT_VALID_MS = 1000

/**
 * The count runs within the transaction of `put`, so it is synchronous. That is why it shares nothing with the backlog
 * of BullMQ, which counts over the network and in the background.
 */
export function createBacklog({ countOpen }: InboxStatements, maxQueued: number): Backlog {
  let left = 0
  let countedAt = 0
  return {
    hasRoom() {
      const now = performance.now()
      if (left > 0 && now - countedAt < COUNT_VALID_MS) return true
      left = maxQueued - (countOpen.get() as { open: number }).open
      countedAt = now
      return left > 0
    },
    add() {
      left -= 1
    },
  }
}
