import { isTopic } from '../../commerce-layer/topic-patterns.ts'
import { copyBytes } from '../copy-bytes.ts'
import type { Deadline } from '../deadline.ts'
import { isWebhookError, WebhookError } from '../errors.ts'
import { getHeader, type HeadersLike, type RawBody, toBytes } from '../http/request.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import type { SigningSecret } from './check-secret.ts'
import { type Delivery, toDelivery } from './delivery.ts'
import { createDiagnosis, type Diagnose } from './diagnose.ts'
import { createSecrets, type Secrets, type SecretsOption } from './secrets.ts'
import { computeSignature, isSameSignature } from './signature.ts'

/** The topic and the signature of a request, from its headers. Nothing is verified yet. */
export interface SignedHeaders {
  readonly topic: string
  readonly signature: string
}

/** Base64 of the 32 bytes of an HMAC-SHA256. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/
const HEX = /^[0-9a-f]{64}$/i

const FORM_HINT = 'The signature has another form: Commerce Layer sends 44 characters of base64.'
const HEX_HINT = 'The signature is hex: Commerce Layer sends base64.'

/**
 * Reads the topic and the signature from the headers, and checks their form, before the body is read.
 *
 * @throws WebhookError `SIGNATURE_MISSING`, `SIGNATURE_MISMATCH`, `TOPIC_MISSING` or `TOPIC_INVALID`.
 */
export function readSignedHeaders(headers: HeadersLike): SignedHeaders {
  const signature = getHeader(headers, 'x-commercelayer-signature')
  if (!signature) throw new WebhookError('SIGNATURE_MISSING')
  const topic = getHeader(headers, 'x-commercelayer-topic')
  if (!topic) throw new WebhookError('TOPIC_MISSING')
  if (!isTopic(topic)) throw new WebhookError('TOPIC_INVALID')
  if (!SIGNATURE.test(signature)) {
    throw new WebhookError('SIGNATURE_MISMATCH', { hint: HEX.test(signature) ? HEX_HINT : FORM_HINT })
  }
  return { topic, signature }
}

/**
 * Finds the secrets that may have signed a delivery of a topic, before its body is read: a topic without a secret costs
 * no body.
 *
 * @throws WebhookError `SECRET_UNKNOWN` or `STORE_UNAVAILABLE`.
 */
export function findSecrets(
  topic: string,
  secrets: Secrets,
  deadline?: Deadline,
): MaybePromise<readonly SigningSecret[]> {
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
 * @throws WebhookError `SIGNATURE_MISMATCH` or `STORE_UNAVAILABLE`.
 */
export function authenticate(
  { topic, signature }: SignedHeaders,
  body: Uint8Array,
  receivedAt: Date,
  found: readonly SigningSecret[],
  secrets: Secrets,
  deadline?: Deadline,
): MaybePromise<Delivery> {
  // A webhook may have been created, or created anew, since its secrets were read.
  const refresh = () => secrets.refresh(topic, deadline, body.length)
  return pipe(
    findSigner(found, signature, body),
    (signer) => signer ?? pipe(refresh(), (candidates) => findSigner(candidates, signature, body)),
    (signer) => {
      if (!signer) throw new WebhookError('SIGNATURE_MISMATCH')
      return toDelivery(topic, body, receivedAt, secrets, signer)
    },
  )
}

/** Gives the secret with which a body was signed, looking from the `first` on. */
export function findSigner(
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
export async function verify(body: RawBody, headers: HeadersLike, secrets: SecretsOption): Promise<Delivery> {
  const signed = readSignedHeaders(headers)
  // A copy, because the bytes must not change between the signature's check and `parse`.
  const bytes = typeof body === 'string' ? toBytes(body) : copyBytes(toBytes(body))
  const all = createSecrets(secrets)
  const found = await findSecrets(signed.topic, all)
  try {
    return await authenticate(signed, bytes, new Date(), found, all)
  } catch (error) {
    throw (await explainMismatch(error, signed, bytes, found, all, diagnose)).error
  }
}

/** One for all calls of {@link verify}. */
const diagnose = createDiagnosis()

/**
 * Adds the likely reason to a `SIGNATURE_MISMATCH`, and gives other errors as they are. `bytes` are those that were
 * signed, if they were found.
 */
export async function explainMismatch<T>(
  error: T,
  { topic, signature }: SignedHeaders,
  body: Uint8Array,
  found: readonly SigningSecret[],
  secrets: Secrets,
  diagnose: Diagnose,
): Promise<{ error: T | WebhookError; bytes?: Uint8Array | undefined }> {
  if (!isWebhookError(error) || error.code !== 'SIGNATURE_MISMATCH') return { error }
  const otherSecrets = secrets.secretsOfOtherTopics(topic)
  const { hint, bytes } = await diagnose({ signature, body, secrets: found.map(({ text }) => text), otherSecrets })
  return { error: new WebhookError('SIGNATURE_MISMATCH', { hint }), bytes }
}
