import type { SqliteDatabase } from '../../sqlite/open.ts'
import { inTransaction } from '../../sqlite/transaction.ts'

/** Runs the writes that are asked for in one turn of the event loop in one transaction, which waits for the disk once. */
export interface GroupCommit {
  /** Resolves with what `work` returned when that is committed, rejects if it is not. `work` runs again if another's failed. */
  write<T>(work: () => T): Promise<T>
  /** Commits what was asked for at once. */
  flush(): void
}

interface Write {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** How long a transaction takes more in. The program stands still meanwhile. */
const TURN_MS = 10

export function createGroupCommit(database: SqliteDatabase): GroupCommit {
  const queue: Write[] = []

  function turn(): void {
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
      for (const [at, { resolve }] of batch.entries()) resolve(results[at])
    } catch (error) {
      if (batch.length > 1) for (const write of batch) runAlone(write)
      else for (const { reject } of batch.length === 1 ? batch : queue.splice(0)) reject(error)
    }
    if (queue.length > 0) setImmediate(turn)
  }

  /** So that one that cannot be written does no harm to the others. */
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
        if (queue.length === 0) setImmediate(turn)
        queue.push({ work, resolve: resolve as (result: unknown) => void, reject })
      })
    },
    flush() {
      while (queue.length > 0) turn()
    },
  }
}
