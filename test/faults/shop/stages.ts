import type { IdempotencyStore } from '../../../src/core/idempotency/store.ts'
import type { Inbox } from '../../../src/core/inbox/inbox.ts'
import type { Stage } from './settings.ts'

/** Called when the process reaches a stage. */
export type At = (stage: Stage) => void

/** Kills the process when it reaches the stage for the `visit`th time. */
export function killAtStage(last: Stage | undefined, visit = 1): At {
  let visits = 0
  return (stage) => {
    if (stage === last && ++visits === visit) process.kill(process.pid, 'SIGKILL')
  }
}

/** The same store, which reports its stages. */
export function observeStore<S extends IdempotencyStore>(store: S, at: At): S {
  return {
    ...store,
    async reserve(key, options) {
      at('before-reserve')
      const reservation = await store.reserve(key, options)
      at('after-reserve')
      return reservation
    },
    async complete(key, token, options) {
      at('before-complete')
      const isHeld = await store.complete(key, token, options)
      at('after-complete')
      return isHeld
    },
  }
}

/** The same inbox, which reports its stages. */
export function observeInbox(inbox: Inbox, at: At): Inbox {
  return {
    ...inbox,
    async put(delivery) {
      at('before-put')
      const result = await inbox.put(delivery)
      at('after-put')
      return result
    },
    consume(process, options) {
      const work: typeof process = async (delivery, attempt) => {
        at('before-work')
        await process(delivery, attempt)
        at('after-work')
      }
      return inbox.consume(work, options)
    },
  }
}
