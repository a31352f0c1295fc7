import type { Logger } from '../logger.ts'
import { createSampling } from '../sampling.ts'
import { createTopicMap, rememberForTopic } from '../topic-map.ts'
import { checkSecret, isLabelled, mergeLabels, type SigningSecret } from './check-secret.ts'

/** Checks what a function answers, and remembers which secrets were answered for several topics. */
export interface CheckedAnswers {
  /** The secrets of an answer that may be used. Others are left out and logged. */
  check(answer: unknown, topic: string): readonly SigningSecret[]
  /** Whether a secret was answered for several topics. */
  isShared(text: string): boolean
  /** The last secrets that may be used for a topic; `undefined` if it was not asked for yet. */
  last(topic: string): readonly SigningSecret[] | undefined
}

/**
 * @param isKnown tells the topics that are logged by themselves. The others are logged together.
 * @param onShared is called once, when the first secret is answered for a second topic.
 */
export function createCheckedAnswers(
  isKnown: (topic: string) => boolean,
  logger: Pick<Logger, 'warn' | 'error'>,
  onShared: () => void,
): CheckedAnswers {
  /** The topic for which a text was answered first. */
  const firstTopics = new Map<string, string>()
  const shared = new Set<string>()
  const lastSecrets = createTopicMap<readonly SigningSecret[]>(isKnown)
  const problems = createSampling()

  function logProblem(problem: unknown, topic: string): void {
    if (problems.count(isKnown(topic) ? topic : '') === 0) return
    logger.error(`A secret was not used: ${(problem as TypeError).message}`, { topic })
  }

  function checkOne(one: unknown, topic: string): readonly SigningSecret[] {
    try {
      return [checkSecret(one, `secrets('${topic}')`)]
    } catch (problem) {
      logProblem(problem, topic)
      return []
    }
  }

  function markShared(text: string, topic: string): void {
    const first = firstTopics.get(text)
    if (first === undefined) rememberForTopic(firstTopics, text, topic)
    if (first === undefined || first === topic || shared.has(text)) return
    if (shared.size === 0) onShared()
    shared.add(text)
  }

  return {
    check(answer, topic) {
      const given: readonly unknown[] = Array.isArray(answer) ? answer : [answer]
      const last = lastSecrets.get(topic)
      if (last && isSame(given, last)) return last
      const secrets = mergeLabels(given.filter(isGiven).flatMap((one) => checkOne(one, topic)))
      for (const { text } of secrets) markShared(text, topic)
      lastSecrets.set(topic, secrets)
      return secrets
    },
    isShared: (text) => shared.has(text),
    last: (topic) => lastSecrets.get(topic),
  }
}

/** A topic may have no secret: that is not worth a line in the log. */
function isGiven(secret: unknown): boolean {
  const text = isLabelled(secret) ? secret.secret : secret
  return text !== undefined && text !== null && (typeof text !== 'string' || text.trim() !== '')
}

function isSame(given: readonly unknown[], checked: readonly SigningSecret[]): boolean {
  if (given.length !== checked.length) return false
  return checked.every(({ text, labels }, i) => labels.length === 0 && text === given[i])
}
