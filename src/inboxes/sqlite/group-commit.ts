import type { SqliteDatabase } from '../../sqlite/open.ts'
import { inTransaction } from '../../sqlite/transaction.ts'

/** Runs all writes of one turn of the event loop in one transaction, so that they wait for the disk only once. */
export interface GroupCommit {
  /**
   * Resolves with the result of `work` once it is committed, and rejects if it cannot be. `work` runs a second time if
   * another write of the same transaction has failed.
   */
  write<T>(work: () => T): Promise<T>
  /** Commits all pending writes now. */
  flush(): void
}

interface Write {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** How long one transaction starts further writes. The process is blocked meanwhile. */
const TURN_MS = 10

export function createGroupCommit(database: SqliteDatabase): GroupCommit {
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
      const results = inTransaction(database, runBatch)
      for (const [i, { resolve }] of batch.entries()) resolve(results[i])
    } catch (error) {
      if (batch.length > 1) for (const write of batch) runAlone(write)
      else for (const { reject } of batch.length === 1 ? batch : queue.splice(0)) reject(error)
    }
    if (queue.length > 0) setImmediate(commitPending)
  }

  /** A transaction of its own, so that a write that fails does not affect the others. */
  function runAlone({ work, resolve, reject }: Write): void {
    try {
      resolve(inTransaction(database, work))
    } catch (error) {
      reject(error)
    }
  }

  return {
    write<T>(work: () => T) {
      return new Promise<T>((resolve, reject) => {
        if (queue.length === 0) setImmediate(commitPending)
        queue.push({ work, resolve: resolve as (result: unknown) => void, reject })
      })
    },
    flush() {
      while (queue.length > 0) commitPending()
    },
  }
}
