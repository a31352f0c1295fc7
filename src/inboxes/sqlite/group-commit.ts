import { isLocked } from '../../sqlite/database.ts'
import type { OpenDatabase } from '../../sqlite/open.ts'
import { inTransaction } from '../../sqlite/transaction.ts'

/** Runs all writes of one turn of the event loop in one transaction, so that they wait for the disk only once. */
export interface GroupCommit {
  /**
   * Resolves with the result of `work` once it is committed, and rejects if it cannot be. While another process has
   * locked the file, the writes wait together, each for up to `LOCK_WAIT_MS`. `work` runs a second time if another write
   * of the same transaction has failed.
   */
  write<T>(work: () => T): Promise<T>
  /** Resolves once all pending writes are settled. */
  flush(): Promise<void>
}

interface Write {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Until when it waits for a locked file, by `performance.now()`. */
  readonly until: number
}

/** How long one transaction starts further writes. The process is blocked meanwhile. */
const TURN_MS = 10
/** The same as the default of `deadlineMs`: nobody waits for longer. */
const LOCK_WAIT_MS = 4000
/** How often a locked file is tried. */
const LOCK_RETRY_MS = 20

export function createGroupCommit(opened: OpenDatabase): GroupCommit {
  const queue: Write[] = []

  function commitPending(): void {
    const batch: Write[] = []
    const runBatch = () => {
      const results: unknown[] = []
      const end = performance.now() + TURN_MS
      while (queue.length > 0 && performance.now() < end) {
        batch.push(...queue.splice(0, 1))
        results.push(batch.at(-1)?.work())
      }
      return results
    }
    try {
      const results = inTransaction(opened, runBatch)
      for (const [i, { resolve }] of batch.entries()) resolve(results[i])
    } catch (error) {
      if (batch.length === 0 && isLocked(error)) {
        tryLater(error)
        return
      }
      if (batch.length > 1) for (const write of batch) runAlone(write)
      else for (const { reject } of batch.length === 1 ? batch : queue.splice(0)) reject(error)
    }
    if (queue.length > 0) setImmediate(commitPending)
  }

  function tryLater(error: unknown): void {
    const now = performance.now()
    for (const write of queue.splice(0)) {
      if (write.until > now) queue.push(write)
      else write.reject(error)
    }
    if (queue.length > 0) setTimeout(commitPending, LOCK_RETRY_MS)
  }

  /** A transaction of its own, so that a write that fails does not affect the others. */
  function runAlone(write: Write): void {
    try {
      write.resolve(inTransaction(opened, write.work))
    } catch (error) {
      if (isLocked(error)) queue.unshift(write)
      else write.reject(error)
    }
  }

  function write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (queue.length === 0) setImmediate(commitPending)
      const until = performance.now() + LOCK_WAIT_MS
      queue.push({ work, resolve: resolve as (result: unknown) => void, reject, until })
    })
  }

  return {
    write,
    async flush() {
      // Writes are settled in their order.
      if (queue.length > 0) await write(() => {}).catch(() => {})
    },
  }
}
