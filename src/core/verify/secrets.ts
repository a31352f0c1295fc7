import { type Deadline, withTimeout } from '../deadline.ts'
import { WebhookError } from '../errors.ts'

/** One shared secret, or several while one replaces another. `undefined` is refused at once: a variable that is not set. */
export type Secret = string | undefined | readonly (string | undefined)[]

/**
 * Where the shared secrets come from: one for everything, one a topic, or a look-up by topic. Commerce Layer does not sign
 * the topic header and gives each webhook a secret of its own, so a secret a topic is what authenticates the topic.
 */
export type SecretsOption = Secret | { readonly [topic: string]: Secret } | SecretsLookUp

/** Gives the secrets of a topic, whenever one is needed. */
export interface SecretsLookUp {
  (topic: string): Secret | Promise<Secret>
  /** Asked once more when a signature does not match: gives the secrets anew, or none if it has nothing new to say. */
  refresh?(topic: string): Secret | Promise<Secret>
}

export interface Secrets {
  /**
   * The secrets that may have signed a delivery of `topic`; none is an empty list.
   *
   * @throws WebhookError `STORE_UNAVAILABLE` if the look-up fails or misses the deadline.
   */
  lookUp(topic: string, deadline?: Deadline): readonly string[] | Promise<readonly string[]>
  /** The same anew, for a signature that those known did not make; none where they never change, or have not. */
  refresh(topic: string, deadline?: Deadline): readonly string[] | Promise<readonly string[]>
  /** Secrets of other topics, to tell a mix-up from a forgery. */
  others(topic: string): readonly string[]
  /** Whether every topic has the same secret. */
  readonly shared: boolean
  /** Whether a topic certainly has no secret. */
  lacks(topic: string): boolean
}

/** @throws TypeError when a secret is missing, empty or has white space at its ends. Never says what the secret is. */
export function createSecrets(option: SecretsOption): Secrets {
  if (typeof option === 'function') return secretsFromFunction(option)
  if (typeof option === 'object' && !Array.isArray(option) && option !== null) {
    return secretsByTopic(option as { readonly [topic: string]: Secret })
  }
  const secrets = checkSecrets(option as Secret, 'secrets')
  return { lookUp: () => secrets, refresh: () => [], others: () => [], shared: true, lacks: () => false }
}

function secretsByTopic(option: { readonly [topic: string]: Secret }): Secrets {
  const byTopic = new Map(
    Object.entries(option).map(([topic, secret]) => [topic, checkSecrets(secret, `secrets['${topic}']`)]),
  )
  if (byTopic.size === 0) throw new TypeError('`secrets` is empty.')
  return {
    lookUp: (topic) => byTopic.get(topic) ?? [],
    refresh: () => [],
    others: (topic) => [...byTopic].flatMap(([other, secrets]) => (other === topic ? [] : secrets)),
    shared: false,
    lacks: (topic) => !byTopic.has(topic),
  }
}

function secretsFromFunction(lookUp: SecretsLookUp): Secrets {
  return {
    lookUp: (topic, deadline) => callLookUp(() => lookUp(topic), deadline),
    refresh: (topic, deadline) => callLookUp(() => lookUp.refresh?.(topic), deadline),
    others: () => [],
    shared: false,
    lacks: () => false,
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

/** Whatever it holds: databases and configuration files give what they like. */
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
    throw new TypeError(`\`${name}\` is not set: is the environment variable?`)
  }
  if (typeof secret !== 'string') throw new TypeError(`\`${name}\` is not a string.`)
  if (secret.trim() === '') throw new TypeError(`\`${name}\` is empty: anybody could sign with it.`)
  if (secret !== secret.trim()) {
    throw new TypeError(`\`${name}\` has white space at its ends.`)
  }
  return secret
}
