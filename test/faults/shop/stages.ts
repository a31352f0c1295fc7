import type { IdempotencyStore } from '../../../src/core/idempotency/store.ts'
import type { Inbox } from '../../../src/core/inbox/inbox.ts'
import type { Stage } from './settings.ts'

/** Told where the process is on its road. */
export type At = (stage: Stage) => void

/** Ends the process here and now, as by a power cut, when it comes to that stage for the `visit`th time. */
export function killAtStage(last: Stage | undefined, visit = 1): At {
  let visits = 0
  return (stage) => {
    if (stage === last && ++visits === visit) process.kill(process.pid, 'SIGKILL')
  }
}

/** The same store, which tells when it is asked and when it has answered. */
export function observeStore<S extends IdempotencyStore>(store: S, at: At): S {
  return {
    ...store,
    async reserve(key, claim) {
      at('before reserve')
      const reservation = await store.reserve(key, claim)
      at('after reserve')
      return reservation
    },
    async complete(key, token, completion) {
      at('before complete')
      const isHeld = await store.complete(key, token, completion)
      at('after complete')
      return isHeld
    },
  }
}

/** The same inbox, which tells when it stores and when its deliveries are worked on. */
export function observeInbox(inbox: Inbox, at: At): Inbox {
  return {
    ...inbox,
    async put(delivery) {
      at('before put')
      const kept = await inbox.put(delivery)
      at('after put')
      return kept
    },
    consume(process, options) {
      const work: typeof process = async (delivery, attempt) => {
        at('before the work')
        await process(delivery, attempt)
        at('after the work')
      }
      return inbox.consume(work, options)
    },
  }
}
