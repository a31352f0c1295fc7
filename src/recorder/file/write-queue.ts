import { setImmediate } from 'node:timers/promises'
import type { KeptRecord } from '../kept-record.ts'
import { createRefusedBudget } from './refused-budget.ts'
import { startThread } from './start-thread.ts'
import { openWriter, type Writer, type WriterOptions } from './writer.ts'

export interface WriteQueue {
  add(kept: KeptRecord): void
  /** Resolves once all that was added so far was written, or could not be. */
  flush(): Promise<void>
  /** Why the last attempt to write failed; `undefined` if it did not. */
  failure(): Error | undefined
  /** How many could not be recorded, and are not counted in the file yet. */
  missed(): number
  close(): Promise<void>
}

/** More are not recorded, but counted. */
const MAX_PENDING = 2000
const MAX_PENDING_BYTES = 32 * 1024 * 1024
/** How long records are gathered. */
const GATHER_MS = 50
/** Of one transaction. Without a thread this one is blocked meanwhile. */
const THREAD_BATCH = 500
const BATCH_BYTES = 4 * 1024 * 1024
const BATCH = 8

/** Writes records in batches after the answer, in a thread of its own where there may be one. */
export function createWriteQueue(options: WriterOptions, onFailure: (error: Error) => void): WriteQueue {
  const pending: KeptRecord[] = []
  const budget = createRefusedBudget()
  let bytes = 0
  let missed = 0
  let failure: Error | undefined
  let thread: Writer | undefined
  let here: Writer | undefined
  let isThreadLost = false
  let writing: Promise<void> | undefined
  /** How many were ever added, and how many of these were written or could not be. */
  let added = 0
  let ended = 0
  let waiting: { readonly until: number; readonly resolve: () => void }[] = []
  let timer: ReturnType<typeof setTimeout> | undefined

  function findWriter(): { readonly writer: Writer; readonly size: number } {
    if (!isThreadLost && !here) {
      thread ??= startThread(options, () => {
        thread = undefined
        isThreadLost = true
      })
    }
    if (thread) return { writer: thread, size: THREAD_BATCH }
    here ??= openWriter(options)
    return { writer: here, size: BATCH }
  }

  function takeBatch(size: number): readonly KeptRecord[] {
    let taken = 0
    let count = 0
    while (count < Math.min(size, pending.length) && taken < BATCH_BYTES) {
      taken += pending[count]?.body?.byteLength ?? 0
      count += 1
    }
    bytes -= taken
    return pending.splice(0, count)
  }

  async function writeBatch(): Promise<void> {
    let batch: readonly KeptRecord[] = []
    const uncounted = missed
    try {
      const { writer, size } = findWriter()
      batch = takeBatch(size)
      await writer.write(batch, uncounted)
      missed -= uncounted
      failure = undefined
    } catch (error) {
      if (batch.length === 0) {
        batch = pending.splice(0)
        bytes = 0
      }
      missed += batch.length
      if (!failure) onFailure(error as Error)
      failure = error as Error
    }
    ended += batch.length
    for (const { until, resolve } of waiting) if (until <= ended) resolve()
    waiting = waiting.filter(({ until }) => until > ended)
  }

  async function writePending(): Promise<void> {
    do {
      await writeBatch()
      await setImmediate()
    } while (pending.length > 0)
    writing = undefined
  }

  function start(): void {
    clearTimeout(timer)
    timer = undefined
    if (pending.length > 0) writing ??= writePending()
  }

  /** Does not wait for what is added later: that may never end. */
  async function flush(): Promise<void> {
    start()
    if (ended < added) await new Promise<void>((resolve) => waiting.push({ until: added, resolve }))
  }

  return {
    add(recorded) {
      const kept = budget.admit(recorded)
      const bodyBytes = kept?.body?.byteLength ?? 0
      if (!kept || pending.length >= MAX_PENDING || bytes + bodyBytes > MAX_PENDING_BYTES) {
        missed += 1
        return
      }
      pending.push(kept)
      added += 1
      bytes += bodyBytes
      if (!writing) timer ??= setTimeout(start, GATHER_MS)
    },
    flush,
    failure: () => failure,
    missed: () => missed,
    async close() {
      await flush()
      await Promise.all([thread?.close(), here?.close()])
    },
  }
}
