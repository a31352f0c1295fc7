import { setImmediate } from 'node:timers/promises'
import type { OpenLanes } from './lanes.ts'

interface Connection {
  /** The engine, which is opened on first use, and once more whenever that has failed. */
  lanes(): Promise<OpenLanes>
  /** The same work, known to {@link close}, and with errors that may be shown. */
  safely<A extends unknown[], T>(act: (...args: A) => Promise<T>): (...args: A) => Promise<T>
  /** Closes the engine when all the work has ended. */
  close(): Promise<void>
}

export function createConnection(open: () => Promise<OpenLanes>): Connection {
  const working = new Set<Promise<unknown>>()
  let opened: Promise<OpenLanes> | undefined
  let isClosed = false
  return {
    lanes() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined
        throw error
      })
      return opened
    },
    safely(act) {
      return async (...args) => {
        if (isClosed) throw new Error('The inbox is closed.')
        const work = act(...args)
        working.add(work)
        try {
          return await work
        } catch (error) {
          throw toSafeError(error)
        } finally {
          working.delete(work)
        }
      }
    },
    async close() {
      while (working.size > 0) {
        await Promise.allSettled(working)
        // What has just ended may lead to more: a delivery that was taken out is given back.
        await setImmediate()
      }
      isClosed = true
      const engine = await opened?.catch(() => undefined)
      await engine?.close()
    },
  }
}

/** The errors of the drivers hold commands and rows, and so what was delivered: nothing but their message is kept. */
function toSafeError(error: unknown): Error {
  return new Error(`The inbox in BullMQ failed. ${error instanceof Error ? error.message : ''}`)
}
