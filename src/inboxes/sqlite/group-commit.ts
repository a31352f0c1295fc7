import { isLocked, LOCK_RETRY_MS, LOCK_WAIT_MS, type OpenDatabase, prepare } from '../../sqlite/database.ts'
import { inTransaction } from '../../sqlite/transaction.ts'

/** Runs all writes of one turn of the event loop in one transaction, so that they wait for the disk only once. */
export interface GroupCommit {
  /**
   * Resolves with the result of `work` once it is committed, and rejects if it cannot be. While another process has
   * locked the file, the writes wait together, each for up to `LOCK_WAIT_MS`. `work` runs a second time if another write
   * of the same transaction has failed.
   */
  write<T>(work: () => T): Promise<T>
  /**
   * The same for what may be done again after a power cut, as long as the process lives through it: resolves before the
   * disk has it, which is at most `SYNC_MS` later.
   */
  writeSoon<T>(work: () => T): Promise<T>
  /** Resolves once all pending writes are settled. */
  flush(): Promise<void>
}

interface Write {
  readonly isDurable: boolean
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  /** Until when it waits for a locked file, by `performance.now()`. */
  readonly until: number
}

/** How long one transaction starts further writes. The process is blocked meanwhile. */
const TURN_MS = 10
/** How long what was written without waiting for the disk may be missing there. */
const SYNC_MS = 100

export function createGroupCommit(opened: OpenDatabase): GroupCommit {
  const queue: Write[] = []
  const syncing = createSyncing(opened)

  function commitPending(): void {
    const batch: Write[] = []
    const isDurable = queue.some((write) => write.isDurable) || syncing.isDue()
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
      const results = inTransaction(opened, runBatch, isDurable ? 'synced' : 'soon')
      syncing.note(isDurable)
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

  function add<T>(work: () => T, isDurable: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (queue.length === 0) setImmediate(commitPending)
      const until = performance.now() + LOCK_WAIT_MS
      queue.push({ work, isDurable, resolve: resolve as (result: unknown) => void, reject, until })
    })
  }

  return {
    write: (work) => add(work, true),
    writeSoon: (work) => add(work, false),
    async flush() {
      // Writes are settled in their order.
      if (queue.length > 0) await add(() => {}, true).catch(() => {})
      syncing.end()
    },
  }
}

interface Syncing {
  /** Whether the next transaction has to be synced, because one before was not. */
  isDue(): boolean
  note(isSynced: boolean): void
  end(): void
}

/** Sees to it that the disk has what was written without waiting for it. */
function createSyncing({ database }: OpenDatabase): Syncing {
  let missing: { readonly since: number; readonly timer: ReturnType<typeof setTimeout> } | undefined

  function sync(): void {
    missing = undefined
    // A checkpoint begins with a sync of the log. If it fails, the next durable transaction syncs.
    try {
      prepare(database, 'PRAGMA wal_checkpoint(PASSIVE)').get()
    } catch {}
  }

  function end(): void {
    clearTimeout(missing?.timer)
    missing = undefined
  }

  return {
    isDue: () => missing !== undefined && performance.now() - missing.since > SYNC_MS / 2,
    note(isSynced) {
      if (isSynced) end()
      else missing ??= { since: performance.now(), timer: setTimeout(sync, SYNC_MS) }
    },
    end,
  }
}
