import { isPromise, type MaybePromise } from '../maybe-promise.ts'
import { createTopicMap } from '../topic-map.ts'

/** How often a mismatch may ask for the secrets of a topic again, in milliseconds. */
const REFRESH_MS = 1000

/** Asks for something by topic. */
type Ask<T> = (topic: string) => MaybePromise<T>

interface Answer<T> {
  readonly pending: Promise<T>
  expiresAt: number
  /** When a mismatch may ask for it again. */
  readonly refreshableAt: number
}

export interface LookUpCache<T> {
  /** A synchronous answer is never kept. Calls for one topic at the same time share an asynchronous one. */
  get(topic: string): MaybePromise<T>
  /** Asks again, unless that was done within the last second; `undefined` then. */
  getAgain(topic: string): MaybePromise<T> | undefined
}

/**
 * Keeps asynchronous answers by topic for `cacheMs` milliseconds.
 *
 * @param isKnown tells the topics that nobody has made up.
 */
export function createLookUpCache<T>(
  ask: Ask<T>,
  cacheMs: number,
  isKnown: (topic: string) => boolean,
): LookUpCache<T> {
  const answers = createTopicMap<Answer<T>>(isKnown)

  function askFor(topic: string, refreshableAt: number): MaybePromise<T> {
    const asked = ask(topic)
    if (!isPromise(asked)) return asked
    const answer: Answer<T> = { pending: asked, expiresAt: Number.POSITIVE_INFINITY, refreshableAt }
    answers.set(topic, answer)
    const expireAfter = (ms: number) => () => {
      answer.expiresAt = performance.now() + ms
    }
    asked.then(expireAfter(cacheMs), expireAfter(0))
    return asked
  }

  return {
    get(topic) {
      const kept = answers.get(topic)
      if (kept && kept.expiresAt > performance.now()) return kept.pending
      return askFor(topic, kept?.refreshableAt ?? 0)
    },
    getAgain(topic) {
      const now = performance.now()
      return (answers.get(topic)?.refreshableAt ?? 0) > now ? undefined : askFor(topic, now + REFRESH_MS)
    },
  }
}
