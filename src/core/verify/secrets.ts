import { type Deadline, withTimeout } from '../deadline.ts'
import { isWebhookError, WebhookError } from '../errors.ts'
import { isPromise, type MaybePromise } from '../maybe-promise.ts'
import { createLookUpCache } from './look-up-cache.ts'

/**
 * One shared secret, or several while one replaces another. `undefined`, an environment variable that is not set, is
 * refused.
 */
export type Secret = string | undefined | readonly (string | undefined)[]

/**
 * The shared secrets: one for all topics, a map by topic, or a function of the topic. Commerce Layer gives each webhook
 * a secret of its own and does not sign the topic header, so a secret for each topic is what authenticates the topic.
 */
export type SecretsOption = Secret | { readonly [topic: string]: Secret } | SecretsLookUp

/** Gives the secrets of a topic, each time they are needed. */
export interface SecretsLookUp {
  (topic: string): Secret | Promise<Secret>
  /** Called when a signature does not match: gives the secrets that are new since, or none. */
  refresh?(topic: string): Secret | Promise<Secret>
}

export interface Secrets {
  /**
   * The secrets that may have signed a delivery of `topic`; an empty list if there are none.
   *
   * @throws WebhookError `STORE_UNAVAILABLE` if the look-up fails or misses the deadline.
   */
  lookUp(topic: string, deadline?: Deadline): MaybePromise<readonly string[]>
  /**
   * The secrets of `topic` that are new since {@link lookUp}; an empty list where secrets do not change.
   *
   * @param bytes the length of the body that is kept meanwhile.
   */
  refresh(topic: string, deadline?: Deadline, bytes?: number): MaybePromise<readonly string[]>
  /** The secrets of other topics, to explain a mismatch. */
  secretsOfOtherTopics(topic: string): readonly string[]
  /** Whether every topic has the same secret. */
  readonly isShared: boolean
  /** Whether it is certain that a topic has no secret. */
  hasNoSecret(topic: string): boolean
}

/** How the answers of a function are kept. */
export interface SecretsCaching {
  /** Milliseconds for which an asynchronous answer is used. */
  readonly cacheMs: number
  /** Whether a topic is catalogued or has a handler. */
  readonly isKnown: (topic: string) => boolean
}

const NO_CACHING: SecretsCaching = { cacheMs: 0, isKnown: () => false }

/**
 * @throws TypeError if a secret is missing, empty, or has leading or trailing whitespace. The message does not hold the
 * secret.
 */
export function createSecrets(option: SecretsOption, caching: SecretsCaching = NO_CACHING): Secrets {
  if (typeof option === 'function') return secretsFromFunction(option, caching)
  if (typeof option === 'object' && !Array.isArray(option) && option !== null) {
    return secretsByTopic(option as { readonly [topic: string]: Secret })
  }
  const secrets = checkSecrets(option as Secret, 'secrets')
  return {
    lookUp: () => secrets,
    refresh: () => [],
    secretsOfOtherTopics: () => [],
    isShared: true,
    hasNoSecret: () => false,
  }
}

function secretsByTopic(option: { readonly [topic: string]: Secret }): Secrets {
  const byTopic = new Map(
    Object.entries(option).map(([topic, secret]) => [topic, checkSecrets(secret, `secrets['${topic}']`)]),
  )
  if (byTopic.size === 0) throw new TypeError('`secrets` is empty.')
  return {
    lookUp: (topic) => byTopic.get(topic) ?? [],
    refresh: () => [],
    secretsOfOtherTopics: (topic) => [...byTopic].flatMap(([other, secrets]) => (other === topic ? [] : secrets)),
    isShared: false,
    hasNoSecret: (topic) => !byTopic.has(topic),
  }
}

function secretsFromFunction(lookUp: SecretsLookUp, { cacheMs, isKnown }: SecretsCaching): Secrets {
  // A look-up with `refresh` keeps its answers itself: `management.secrets` does.
  const keepMs = lookUp.refresh ? 0 : cacheMs
  const answers = createLookUpCache((topic) => readAnswer(() => lookUp(topic)), keepMs, isKnown)
  const news = createLookUpCache((topic) => readAnswer(() => lookUp.refresh?.(topic)), 0, isKnown)
  const refresh = (topic: string) => (lookUp.refresh ? news.get(topic) : (answers.getAgain(topic) ?? []))
  return {
    lookUp: (topic, deadline) => beforeDeadline(answers.get(topic), deadline),
    refresh: (topic, deadline) => beforeDeadline(refresh(topic), deadline),
    secretsOfOtherTopics: () => [],
    isShared: false,
    hasNoSecret: () => false,
  }
}

/** @throws WebhookError `STORE_UNAVAILABLE`, at once or as a rejection. */
function readAnswer(ask: () => MaybePromise<Secret>): MaybePromise<readonly string[]> {
  try {
    const answer = ask()
    return isPromise(answer) ? Promise.resolve(answer).then(toSecrets).catch(unavailable) : toSecrets(answer)
  } catch (cause) {
    unavailable(cause)
  }
}

function toSecrets(answer: Secret): readonly string[] {
  return toList(answer).filter((one): one is string => typeof one === 'string' && one.trim() !== '')
}

function beforeDeadline<T>(answer: MaybePromise<T>, deadline: Deadline | undefined): MaybePromise<T> {
  if (!deadline || !isPromise(answer)) return answer
  return withTimeout(answer, deadline.remaining(), () => new Error('It took too long.')).catch(unavailable)
}

function unavailable(thrown: unknown): never {
  if (isWebhookError(thrown)) throw thrown
  throw new WebhookError('STORE_UNAVAILABLE', { cause: thrown, hint: '`secrets` failed.' })
}

/** Databases and configuration files may give values of any type. */
function toList(secret: unknown): readonly unknown[] {
  return Array.isArray(secret) ? secret : [secret]
}

function checkSecrets(secret: Secret, name: string): readonly string[] {
  const list = toList(secret)
  if (list.length === 0) throw new TypeError(`\`${name}\` is empty.`)
  return list.map((one) => checkSecret(one, name))
}

function checkSecret(secret: unknown, name: string): string {
  if (secret === undefined || secret === null) {
    throw new TypeError(`\`${name}\` is not set. Is its environment variable set?`)
  }
  if (typeof secret !== 'string') throw new TypeError(`\`${name}\` is not a string.`)
  if (secret.trim() === '') throw new TypeError(`\`${name}\` is empty: anybody could sign with it.`)
  if (secret !== secret.trim()) {
    throw new TypeError(`\`${name}\` has leading or trailing whitespace.`)
  }
  return secret
}
