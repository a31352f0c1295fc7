import type { SharedFailures } from '../handle/failure-streak.ts'
import { createTopicMap } from '../topic-map.ts'
import { callStore } from './call-store.ts'
import type { IdempotencyStore } from './store.ts'

/** How often the failures of a topic that succeeds are read, because its deliveries may fail in other processes. */
const READ_EVERY_MS = 10_000

/**
 * Counts consecutive failures in a store, over all processes, if the store can. It is written to only while a failure
 * is known.
 *
 * @param isKnown tells the topics that nobody has made up. Only they are counted in the store.
 * @param waitFor is called with work that goes on after the answer. It never rejects.
 */
export function createSharedFailures(
  store: Partial<Pick<IdempotencyStore, 'countFailures'>> | undefined,
  isKnown: (topic: string) => boolean,
  waitFor: (work: Promise<unknown>) => void,
): SharedFailures | undefined {
  if (typeof store?.countFailures !== 'function') return undefined
  const count = async (topic: string, change: 'add' | 'reset' | 'read') => {
    const failures = await callStore(async () => store.countFailures?.(topic, change))
    if (typeof failures !== 'number') throw new TypeError('The store did not answer with a number.')
    return failures
  }
  const failing = createTopicMap<true>(isKnown)
  const readAgainAt = createTopicMap<number>(isKnown)
  const firstReadAt = performance.now() + READ_EVERY_MS

  function resetInStore(topic: string): void {
    failing.delete(topic)
    waitFor(count(topic, 'reset').catch(() => failing.set(topic, true)))
  }

  return {
    add(topic, own, then) {
      if (!isKnown(topic)) return then(own)
      failing.set(topic, true)
      waitFor(count(topic, 'add').then(then, () => then(own)))
    },
    reset(topic) {
      if (failing.get(topic)) return resetInStore(topic)
      if (!isKnown(topic) || performance.now() < (readAgainAt.get(topic) ?? firstReadAt)) return
      readAgainAt.set(topic, performance.now() + READ_EVERY_MS)
      waitFor(
        count(topic, 'read')
          .then((failures) => failures > 0 && resetInStore(topic))
          .catch(() => {}),
      )
    },
  }
}
