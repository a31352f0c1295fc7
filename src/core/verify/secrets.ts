import { type Deadline, withTimeout } from '../deadline.ts'
import { WebhookError } from '../errors.ts'

/**
 * One shared secret, or several while one replaces another. `undefined`, an environment variable that is not set, is
 * refused.
 */
export type Secret = string | undefined | readonly (string | undefined)[]

/**
 * The shared secrets: one for all topics, a map by topic, or a function of the topic. Commerce Layer gives each webhook
 * a secret of
 * its own and does not sign the topic header, so a secret for each topic is what authenticates the topic.
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
  lookUp(topic: string, deadline?: Deadline): readonly string[] | Promise<readonly string[]>
  /** The secrets of `topic` that are new since {@link lookUp}; an empty list where secrets do not change. */
  refresh(topic: string, deadline?: Deadline): readonly string[] | Promise<readonly string[]>
  /** The secrets of other topics, to explain a mismatch. */
  secretsOfOtherTopics(topic: string): readonly string[]
  /** Whether every topic has the same secret. */
  readonly isShared: boolean
  /** Whether it is certain that a topic has no secret. */
  hasNoSecret(topic: string): boolean
}

/**
 * @throws TypeError if a secret is missing, empty, or has leading or trailing whitespace. The message does not hold the
 * secret.
 */
export function createSecrets(option: SecretsOption): Secrets {
  if (typeof option === 'function') return secretsFromFunction(option)
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

function secretsFromFunction(lookUp: SecretsLookUp): Secrets {
  return {
    lookUp: (topic, deadline) => callLookUp(() => lookUp(topic), deadline),
    refresh: (topic, deadline) => callLookUp(() => lookUp.refresh?.(topic), deadline),
    secretsOfOtherTopics: () => [],
    isShared: false,
    hasNoSecret: () => false,
  }
}

async function callLookUp(
  question: () => Secret | Promise<Secret>,
  deadline: Deadline | undefined,
): Promise<readonly string[]> {
  try {
    const found = Promise.resolve(question())
    const secrets = deadline ? withTimeout(found, deadline.remaining(), () => new Error('It took too long.')) : found
    return toList(await secrets).filter((one): one is string => typeof one === 'string' && one.trim() !== '')
  } catch (cause) {
    throw new WebhookError('STORE_UNAVAILABLE', { cause, hint: '`secrets` failed.' })
  }
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
