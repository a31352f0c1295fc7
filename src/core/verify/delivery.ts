import type { Deadline } from '../deadline.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import type { SecretLabel, SigningSecret } from './check-secret.ts'
import { fingerprint } from './fingerprint.ts'
import type { Identify, Identity } from './identity.ts'
import type { Secrets } from './secrets.ts'

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
