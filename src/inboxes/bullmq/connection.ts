import { setImmediate } from 'node:timers/promises'
import { ignore } from './back-end.ts'
import type { OpenLanes } from './lanes.ts'

interface Connection {
  /** Opens the engine on first use, and tries again on the next use if that has failed. */
  lanes(): Promise<OpenLanes>
  /** Wraps a function so that {@link close} waits for its calls and its errors hold no delivered data. */
  safely<A extends unknown[], T>(act: (...args: A) => Promise<T>): (...args: A) => Promise<T>
  /** Closes the engine when all running calls have ended. */
  close(): Promise<void>
}

export function createConnection(open: () => Promise<OpenLanes>): Connection {
  const running = new Set<Promise<unknown>>()
  let opened: Promise<OpenLanes> | undefined
  let isClosed = false
  return {
    lanes() {
      opened ??= open().catch((error: unknown) => {
        opened = undefined
        throw new OpeningError(error)
      })
      return opened
    },
    safely(act) {
      return async (...args) => {
        if (isClosed) throw new Error('The inbox is closed.')
        const call = act(...args)
        // Without its result: V8 keeps what was in a Set when it grew until its next full collection.
        const ended = call.then(ignore, ignore)
        running.add(ended)
        try {
          return await call
        } catch (error) {
          throw toSafeError(error)
        } finally {
          running.delete(ended)
        }
      }
    },
    async close() {
      while (running.size > 0) {
        await Promise.all(running)
        // A call that has ended may lead to another: a delivery that was just leased is returned.
        await setImmediate()
      }
      isClosed = true
      const engine = await opened?.catch(() => undefined)
      await engine?.close()
    },
  }
}

class OpeningError extends Error {
  constructor(error: unknown) {
    const message = toMessage(error)
    super(`It could not connect, and tries again on its next use. ${message}`, { cause: new Error(message) })
  }
}

/** Errors of the drivers hold commands and rows, and so passwords and delivered data. Only their message is kept. */
function toSafeError(error: unknown): Error {
  const cause = error instanceof OpeningError ? { cause: error.cause } : {}
  return new Error(`The BullMQ inbox failed. ${toMessage(error)}`, cause)
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
