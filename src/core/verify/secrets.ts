import { eventNameOf, resourceOf, type Topic } from '../../commerce-layer/topics.ts'
import { type Deadline, withTimeout } from '../deadline.ts'
import { isWebhookError, WebhookError } from '../errors.ts'
import { defaultLogger, type Logger } from '../logger.ts'
import { isPromise, type MaybePromise, pipe } from '../maybe-promise.ts'
import { checkSecrets, isLabelled, type Secret, type SigningSecret } from './check-secret.ts'
import { createCheckedAnswers } from './checked-answers.ts'
import { BY_TOPIC, type Identity } from './identity.ts'
import { createLookUpCache } from './look-up-cache.ts'
import { TEST_SECRET } from './test-secret.ts'

/**
 * The shared secrets: one for all topics, a map by topic, or a function of the topic. Commerce Layer gives each webhook
 * a secret of its own and does not sign the topic header, so a secret for each topic is what authenticates the topic.
 */
export type SecretsOption = Secret | SecretsByTopic | SecretsLookUp

/** The secrets of topics. An editor completes those of the catalog, and any other may have a secret too. */
export interface SecretsByTopic extends Readonly<Partial<Record<Topic, Secret>>> {
  readonly [topic: string]: Secret
}

/** Gives the secrets of a topic, each time they are needed. A secret that is too weak is not used, and logged. */
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
  lookUp(topic: string, deadline?: Deadline): MaybePromise<readonly SigningSecret[]>
  /**
   * The secrets of `topic` that are new since {@link lookUp}; an empty list where secrets do not change.
   *
   * @param bytes the length of the body that is kept meanwhile.
   */
  refresh(topic: string, deadline?: Deadline, bytes?: number): MaybePromise<readonly SigningSecret[]>
  /**
   * What stores and inboxes tell deliveries of a topic apart by.
   *
   * @param signer the secret that has signed; `undefined` for a delivery that was stored or redelivered.
   * @throws WebhookError `STORE_UNAVAILABLE` as {@link lookUp} does, without a signer only.
   */
  identify(topic: string, signer?: SigningSecret, deadline?: Deadline): MaybePromise<Identity>
  /** The secrets of other topics, to explain a mismatch. */
  secretsOfOtherTopics(topic: string): readonly string[]
  /** Whether every topic has the same secret, other than that of tests. */
  readonly isShared: boolean
  /** Whether it is certain that a topic has no secret. */
  hasNoSecret(topic: string): boolean
}

/** What the secrets of a receiver need to know. */
export interface SecretsSettings {
  /** Milliseconds for which an asynchronous answer of a function is used. */
  readonly cacheMs: number
  /** Whether a topic is catalogued, or the very topic of a handler: a stranger has not made it up. */
  readonly isKnown: (topic: string) => boolean
  readonly logger: Pick<Logger, 'warn' | 'error'>
}

const WITHOUT_RECEIVER: SecretsSettings = { cacheMs: 0, isKnown: () => false, logger: defaultLogger }

export const SHARED_SECRET =
  'Several topics share one secret, so a captured delivery can be sent under another topic. ' +
  "Give each topic the secret of its webhook: { 'orders.place': … }."

/** A made-up resource and event: who gives a secret for them gives it for every made-up topic. */
const PROBE = 'hooklayer_probe'

/**
 * @throws TypeError if a secret is missing or too weak, has whitespace at its ends, or has a label that is not
 * complete. The message does not hold the secret.
 */
export function createSecrets(option: SecretsOption, settings: SecretsSettings = WITHOUT_RECEIVER): Secrets {
  if (typeof option === 'function') return secretsFromFunction(option, settings)
  if (typeof option === 'object' && !Array.isArray(option) && option !== null && !isLabelled(option)) {
    return secretsByTopic(option as SecretsByTopic)
  }
  return secretsForAllTopics(checkSecrets(option, 'secrets'), settings)
}

const UNRELATED = { secretsOfOtherTopics: () => [], isShared: false, hasNoSecret: () => false }

/** Secrets that do not change. */
function fixedSecrets(
  lookUp: (topic: string) => readonly SigningSecret[],
  isByTopic: (topic: string) => boolean,
): Secrets {
  return {
    ...UNRELATED,
    lookUp,
    refresh: () => [],
    identify: (topic, signer) => toIdentity(isByTopic(topic), signer ? [signer] : lookUp(topic)),
  }
}

function secretsForAllTopics(secrets: readonly SigningSecret[], { isKnown }: SecretsSettings): Secrets {
  return { ...fixedSecrets(() => secrets, isKnown), isShared: secrets.some(({ text }) => text !== TEST_SECRET) }
}

/** Only topics of the map are accepted, so none of them is made up. */
function secretsByTopic(option: SecretsByTopic): Secrets {
  const byTopic = new Map(
    Object.entries(option).map(([topic, secret]) => [topic, checkSecrets(secret, `secrets['${topic}']`, topic)]),
  )
  if (byTopic.size === 0) throw new TypeError('`secrets` is empty.')
  const secrets = fixedSecrets(
    (topic) => byTopic.get(topic) ?? [],
    () => true,
  )
  return {
    ...secrets,
    secretsOfOtherTopics: (topic) =>
      [...byTopic].flatMap(([other, secrets]) => (other === topic ? [] : secrets.map(({ text }) => text))),
    hasNoSecret: (topic) => !byTopic.has(topic),
  }
}

function secretsFromFunction(lookUp: SecretsLookUp, { cacheMs, isKnown, logger }: SecretsSettings): Secrets {
  const checked = createCheckedAnswers(isKnown, logger, () => logger.warn(SHARED_SECRET))
  const ask = (askFor: (topic: string) => MaybePromise<Secret>) => (topic: string) =>
    readAnswer(
      () => askFor(topic),
      (answer) => checked.check(answer, topic),
    )
  // A look-up with `refresh` keeps its answers itself: `management.secrets` does.
  const answers = createLookUpCache(ask(lookUp), lookUp.refresh ? 0 : cacheMs, isKnown)
  const news = createLookUpCache(
    ask((topic) => lookUp.refresh?.(topic)),
    0,
    isKnown,
  )
  const refresh = (topic: string) => (lookUp.refresh ? news.get(topic) : (answers.getAgain(topic) ?? []))

  /** A topic that is not known tells deliveries apart if its secret is its own. */
  async function isTopicSigned(
    topic: string,
    signers: readonly SigningSecret[],
    deadline?: Deadline,
  ): Promise<boolean> {
    const isShared = () => signers.some(({ text }) => checked.isShared(text))
    if (isShared()) return false
    const probes = [`${resourceOf(topic)}.${PROBE}`, `${PROBE}.${eventNameOf(topic)}`]
    await Promise.allSettled(probes.map(async (probe) => beforeDeadline(answers.get(probe), deadline)))
    return !isShared()
  }

  return {
    ...UNRELATED,
    lookUp: (topic, deadline) => beforeDeadline(answers.get(topic), deadline),
    refresh: (topic, deadline) => beforeDeadline(refresh(topic), deadline),
    identify: (topic, signer, deadline) =>
      pipe(signer ? [signer] : (checked.last(topic) ?? beforeDeadline(answers.get(topic), deadline)), (signers) =>
        pipe(isKnown(topic) || isTopicSigned(topic, signers, deadline), (byTopic) => toIdentity(byTopic, signers)),
      ),
  }
}

/** @throws WebhookError `STORE_UNAVAILABLE`, at once or as a rejection. */
function readAnswer<T>(ask: () => MaybePromise<Secret>, check: (answer: Secret) => T): MaybePromise<T> {
  try {
    const answer = ask()
    return isPromise(answer) ? Promise.resolve(answer).then(check).catch(unavailable) : check(answer)
  } catch (cause) {
    unavailable(cause)
  }
}

function beforeDeadline<T>(answer: MaybePromise<T>, deadline: Deadline | undefined): MaybePromise<T> {
  if (!deadline || !isPromise(answer)) return answer
  return withTimeout(answer, deadline.remaining(), () => new Error('It took too long.')).catch(unavailable)
}

function unavailable(thrown: unknown): never {
  if (isWebhookError(thrown)) throw thrown
  throw new WebhookError('STORE_UNAVAILABLE', { cause: thrown, hint: '`secrets` failed.' })
}

function toIdentity(byTopic: boolean, secrets: readonly SigningSecret[]): Identity {
  const byTenant = secrets.some(({ labels }) => labels.length > 0)
  return byTopic && !byTenant ? BY_TOPIC : { byTopic, byTenant }
}
