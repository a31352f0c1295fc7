import type { Deadline } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { getHeader, type HeadersLike, toBytes } from '../http/request.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import { diagnose } from './diagnose.ts'
import { fingerprint } from './fingerprint.ts'
import { createSecrets, type Secrets, type SecretsOption } from './secrets.ts'
import { computeSignature, isSameSignature } from './signature.ts'

/** What a request claims to be: read from its headers, proved by nothing yet. */
export interface SignedHeaders {
  readonly topic: string
  readonly signature: string
}

/**
 * A delivery whose signature was verified: the only thing that `parse` takes, so that bytes of unknown origin cannot be
 * parsed. There is no other way to get one than `verify` or a receiver; `receiver.redeliver` makes one of what came over the API.
 */
export type { Delivery }

class Delivery {
  /** The topic, vouched for by the secret that signed the body. */
  readonly topic: string
  /** The bytes as they came. */
  readonly body: Uint8Array
  readonly receivedAt: Date
  readonly #id: () => string

  constructor(topic: string, body: Uint8Array, receivedAt: Date, id: () => string) {
    this.topic = topic
    this.body = body
    this.receivedAt = receivedAt
    this.#id = id
  }

  /**
   * SHA-256, in hex, over the topic and the bytes: the sender gives none. Two deliveries with the same bytes are one. Made
   * on first use; an event's `id` is the one that also sees through a different spelling of the same document.
   */
  get id(): string {
    return this.#id()
  }
}

/** Commerce Layer's topics: two snake_case words. The length keeps a stranger's header short in the log. */
const TOPIC = /^(?=.{3,100}$)[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/

/**
 * Reads topic and signature from the headers, before a body is read for them.
 *
 * @throws WebhookError `SIGNATURE_MISSING`, `TOPIC_MISSING` or `TOPIC_INVALID`.
 */
export function readSignedHeaders(headers: HeadersLike): SignedHeaders {
  const signature = getHeader(headers, 'x-commercelayer-signature')
  if (!signature) throw new WebhookError('SIGNATURE_MISSING')
  const topic = getHeader(headers, 'x-commercelayer-topic')
  if (!topic) throw new WebhookError('TOPIC_MISSING')
  if (!TOPIC.test(topic)) throw new WebhookError('TOPIC_INVALID')
  return { topic, signature }
}

/**
 * Verifies that the body was signed with a secret of the claimed topic. The signature covers the bytes of the body and
 * nothing else, not the topic, so only the secrets of that topic count: with any other, a body captured for `orders.create`
 * could be replayed as `orders.place`.
 *
 * @throws WebhookError `SECRET_UNKNOWN`, `SIGNATURE_MISMATCH` (its hint says why, where that can be found out) or
 * `STORE_UNAVAILABLE`.
 */
export function authenticate(
  claim: SignedHeaders,
  body: Uint8Array,
  receivedAt: Date,
  secrets: Secrets,
  deadline?: Deadline,
): MaybePromise<Delivery> {
  const { topic, signature } = claim
  return pipe(secrets.lookUp(topic, deadline), (candidates) =>
    pipe(isSignedWithAny(candidates, signature, body), (isSigned) =>
      isSigned
        ? toDelivery(topic, body, receivedAt)
        : authenticateWithNewSecrets(claim, body, receivedAt, secrets, candidates, deadline),
    ),
  )
}

/** A webhook may have been made, or made anew, since its secret was read. */
async function authenticateWithNewSecrets(
  { topic, signature }: SignedHeaders,
  body: Uint8Array,
  receivedAt: Date,
  secrets: Secrets,
  known: readonly string[],
  deadline: Deadline | undefined,
): Promise<Delivery> {
  const candidates = await secrets.refresh(topic, deadline)
  if (await isSignedWithAny(candidates, signature, body)) return toDelivery(topic, body, receivedAt)
  if (known.length + candidates.length === 0) throw new WebhookError('SECRET_UNKNOWN')
  const hint = await diagnose(signature, body, [...known, ...candidates], secrets.others(topic))
  throw new WebhookError('SIGNATURE_MISMATCH', { hint })
}

/** For who has verified the bytes, or has them from a source that needs no signature. */
export function toDelivery(topic: string, body: Uint8Array, receivedAt: Date): MaybePromise<Delivery> {
  return pipe(
    fingerprint(() => [topic, '\n', body]),
    (id) => new Delivery(topic, body, receivedAt, id),
  )
}

function isSignedWithAny(
  secrets: readonly string[],
  signature: string,
  body: Uint8Array,
  first = 0,
): MaybePromise<boolean> {
  const secret = secrets[first]
  if (secret === undefined) return false
  return pipe(
    computeSignature(body, secret),
    (expected) => isSameSignature(signature, expected) || isSignedWithAny(secrets, signature, body, first + 1),
  )
}

/**
 * Verifies a delivery on its own, without a receiver: what comes back is what `parse` takes.
 *
 * @param body the bytes as they came, or their text; never re-serialised JSON.
 * @throws WebhookError `SIGNATURE_MISSING`, `SIGNATURE_MISMATCH`, `SECRET_UNKNOWN`, `TOPIC_MISSING`, `TOPIC_INVALID`,
 * `BODY_ALREADY_PARSED` or `STORE_UNAVAILABLE`; a TypeError for secrets that are unusable.
 */
export async function verify(
  body: Uint8Array | string,
  headers: HeadersLike,
  secrets: SecretsOption,
): Promise<Delivery> {
  return authenticate(readSignedHeaders(headers), toBytes(body), new Date(), createSecrets(secrets))
}
