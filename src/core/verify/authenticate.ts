import { isTopic } from '../../commerce-layer/topic-patterns.ts'
import type { Deadline } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { getHeader, type HeadersLike, toBytes } from '../http/request.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import type { SecretLabel, SigningSecret } from './check-secret.ts'
import { diagnose } from './diagnose.ts'
import { fingerprint } from './fingerprint.ts'
import type { Identify, Identity } from './identity.ts'
import { createSecrets, type Secrets, type SecretsOption } from './secrets.ts'
import { computeSignature, isSameSignature } from './signature.ts'

/** The topic and the signature of a request, from its headers. Nothing is verified yet. */
export interface SignedHeaders {
  readonly topic: string
  readonly signature: string
}

/**
 * A delivery whose signature was verified. `parse` takes nothing else, so that unverified bytes cannot be parsed. Only
 * `verify` and a receiver make one; `receiver.redeliver` makes one of a document from the API.
 */
export type { Delivery }

class Delivery {
  /** The topic, authenticated by the secret that signed the body. */
  readonly topic: string
  /** The bytes as received. */
  readonly body: Uint8Array
  readonly receivedAt: Date
  readonly #id: () => string
  readonly #labels: readonly SecretLabel[]
  readonly #identify: Identify

  constructor(
    topic: string,
    body: Uint8Array,
    receivedAt: Date,
    id: () => string,
    labels: readonly SecretLabel[],
    identify: Identify,
  ) {
    this.topic = topic
    this.body = body
    this.receivedAt = receivedAt
    this.#id = id
    this.#labels = labels
    this.#identify = identify
  }

  static labelsOf(delivery: Delivery): readonly SecretLabel[] {
    return delivery.#labels
  }

  static identify(delivery: Delivery, deadline: Deadline): MaybePromise<Identity> {
    return delivery.#identify(deadline)
  }

  /**
   * SHA-256, in hex, over the topic and the bytes, because Commerce Layer sends no id. Two deliveries with the same
   * topic and bytes have the same `id`. Computed on first use. The `id` of an event is also the same for other
   * spellings of the document.
   */
  get id(): string {
    return this.#id()
  }
}

/** The labels of the secret that has signed a delivery: its document must fit one of them, if there are any. */
export function labelsOf(delivery: Delivery): readonly SecretLabel[] {
  return Delivery.labelsOf(delivery)
}

/**
 * What stores and inboxes tell a delivery apart by.
 *
 * @throws WebhookError `STORE_UNAVAILABLE` if a function gives the secrets and fails.
 */
export function identify(delivery: Delivery, deadline: Deadline): MaybePromise<Identity> {
  return Delivery.identify(delivery, deadline)
}

/**
 * Reads the topic and the signature from the headers, before the body is read.
 *
 * @throws WebhookError `SIGNATURE_MISSING`, `TOPIC_MISSING` or `TOPIC_INVALID`.
 */
export function readSignedHeaders(headers: HeadersLike): SignedHeaders {
  const signature = getHeader(headers, 'x-commercelayer-signature')
  if (!signature) throw new WebhookError('SIGNATURE_MISSING')
  const topic = getHeader(headers, 'x-commercelayer-topic')
  if (!topic) throw new WebhookError('TOPIC_MISSING')
  if (!isTopic(topic)) throw new WebhookError('TOPIC_INVALID')
  return { topic, signature }
}

/**
 * Finds the secrets that may have signed a delivery of a topic, before its body is read: a topic without a secret costs
 * no body.
 *
 * @throws WebhookError `SECRET_UNKNOWN` or `STORE_UNAVAILABLE`.
 */
export function findSecrets(topic: string, secrets: Secrets, deadline?: Deadline): MaybePromise<readonly SigningSecret[]> {
  return pipe(
    secrets.lookUp(topic, deadline),
    (found) => (found.length > 0 ? found : secrets.refresh(topic, deadline)),
    (found) => {
      if (found.length === 0) throw new WebhookError('SECRET_UNKNOWN')
      return found
    },
  )
}

/**
 * Verifies that the body was signed with a secret of the topic in the headers. The signature covers the body and not
 * the topic, so only the secrets of that topic count. Otherwise a body that was captured for `orders.create` could be
 * sent as `orders.place`.
 *
 * @param found the secrets of the topic, from {@link findSecrets}.
 * @throws WebhookError `SIGNATURE_MISMATCH` (its hint gives the reason, where it is known) or `STORE_UNAVAILABLE`.
 */
export function authenticate(
  headers: SignedHeaders,
  body: Uint8Array,
  receivedAt: Date,
  found: readonly SigningSecret[],
  secrets: Secrets,
  deadline?: Deadline,
): MaybePromise<Delivery> {
  const { topic, signature } = headers
  return pipe(findSigner(found, signature, body), (signer) =>
    signer
      ? toDelivery(topic, body, receivedAt, secrets, signer)
      : authenticateWithNewSecrets(headers, body, receivedAt, found, secrets, deadline),
  )
}

/** Reads the secrets again: a webhook may have been created, or created anew, since they were read. */
async function authenticateWithNewSecrets(
  { topic, signature }: SignedHeaders,
  body: Uint8Array,
  receivedAt: Date,
  known: readonly SigningSecret[],
  secrets: Secrets,
  deadline: Deadline | undefined,
): Promise<Delivery> {
  const candidates = await secrets.refresh(topic, deadline)
  const signer = await findSigner(candidates, signature, body)
  if (signer) return toDelivery(topic, body, receivedAt, secrets, signer)
  const texts = [...known, ...candidates].map(({ text }) => text)
  const hint = await diagnose(signature, body, texts, secrets.secretsOfOtherTopics(topic))
  throw new WebhookError('SIGNATURE_MISMATCH', { hint })
}

/**
 * Makes a delivery of bytes that were verified, or that come from a source that needs no signature.
 *
 * @param signer the secret that has signed the bytes; `undefined` if they were stored or come from the API.
 */
export function toDelivery(
  topic: string,
  body: Uint8Array,
  receivedAt: Date,
  secrets: Secrets,
  signer?: SigningSecret,
): MaybePromise<Delivery> {
  return pipe(
    fingerprint(() => [topic, '\n', body]),
    (id) =>
      new Delivery(topic, body, receivedAt, id, signer?.labels ?? [], (deadline) =>
        secrets.identify(topic, signer, deadline),
      ),
  )
}

/** The fingerprint of a delivery's bytes without its topic. */
export async function bodyIdOf({ body }: Delivery): Promise<string> {
  const id = await fingerprint(() => ['\n', body])
  return id()
}

/** Gives the secret with which a body was signed. */
function findSigner(
  secrets: readonly SigningSecret[],
  signature: string,
  body: Uint8Array,
  first = 0,
): MaybePromise<SigningSecret | undefined> {
  const secret = secrets[first]
  if (secret === undefined) return undefined
  return pipe(computeSignature(body, secret.text), (expected) =>
    isSameSignature(signature, expected) ? secret : findSigner(secrets, signature, body, first + 1),
  )
}

/**
 * Verifies a delivery without a receiver. `parse` makes an event of the result.
 *
 * @param body the bytes as received, or their text; never JSON that was parsed and serialized again.
 * @throws WebhookError `SIGNATURE_MISSING`, `SIGNATURE_MISMATCH`, `SECRET_UNKNOWN`, `TOPIC_MISSING`, `TOPIC_INVALID`,
 * `BODY_ALREADY_PARSED` or `STORE_UNAVAILABLE`.
 * @throws TypeError if a secret cannot be used.
 * @example
 * const event = await parse(await verify(rawBody, request.headers, { 'orders.place': secret }))
 */
export async function verify(
  body: Uint8Array | string,
  headers: HeadersLike,
  secrets: SecretsOption,
): Promise<Delivery> {
  const signed = readSignedHeaders(headers)
  const all = createSecrets(secrets)
  return authenticate(signed, toBytes(body), new Date(), await findSecrets(signed.topic, all), all)
}
