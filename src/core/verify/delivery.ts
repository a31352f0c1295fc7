import { copyBytes } from '../copy-bytes.ts'
import type { Deadline } from '../deadline.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import { platform } from '../platform.ts'
import type { SecretLabel, SigningSecret } from './check-secret.ts'
import type { Identify, Identity } from './identity.ts'
import type { Secrets } from './secrets.ts'

/** What a delivery was made of. Only {@link readSigned} gives it, so that nobody can change it. */
interface Signed {
  readonly topic: string
  readonly bytes: Uint8Array
  /** Milliseconds since 1970. */
  readonly receivedAt: number
  readonly id: () => string
  readonly labels: readonly SecretLabel[]
  readonly identify: Identify
}

/** Gives what a delivery was made of, whatever was done to the object since. */
export let readSigned: (delivery: Delivery) => Signed

/**
 * A delivery whose signature was verified. `parse` takes nothing else, so that unverified bytes cannot be parsed. Only
 * `verify` and a receiver make one; `receiver.redeliver` makes one of a document from the API.
 */
export type { Delivery }

class Delivery {
  static {
    readSigned = (delivery) => delivery.#signed
  }

  /** The topic, authenticated by the secret that signed the body. */
  readonly topic: string
  readonly receivedAt: Date
  readonly #signed: Signed
  #body: Uint8Array | undefined

  constructor(signed: Signed) {
    this.topic = signed.topic
    this.receivedAt = new Date(signed.receivedAt)
    this.#signed = signed
  }

  /**
   * The bytes as received, in a buffer that holds nothing else. It is made on first use. A change of it is not seen by
   * `parse`, nor in an `id`.
   */
  get body(): Uint8Array {
    this.#body ??= copyBytes(this.#signed.bytes)
    return this.#body
  }

  /**
   * SHA-256, in hex, over the topic and the bytes, because Commerce Layer sends no id. Two deliveries with the same
   * topic and bytes have the same `id`. Computed on first use. The `id` of an event is also the same for other
   * spellings of the document.
   */
  get id(): string {
    return this.#signed.id()
  }
}

/** The labels of the secret that has signed a delivery: its document must fit one of them, if there are any. */
export function labelsOf(delivery: Delivery): readonly SecretLabel[] {
  return readSigned(delivery).labels
}

/**
 * What stores and inboxes tell a delivery apart by.
 *
 * @throws WebhookError `STORE_UNAVAILABLE` if a function gives the secrets and fails.
 */
export function identify(delivery: Delivery, deadline: Deadline): MaybePromise<Identity> {
  return readSigned(delivery).identify(deadline)
}

/**
 * Makes a delivery of bytes that were verified, or that come from a source that needs no signature.
 *
 * @param signer the secret that has signed the bytes; `undefined` if they were stored or come from the API.
 */
export function toDelivery(
  topic: string,
  bytes: Uint8Array,
  receivedAt: Date,
  secrets: Secrets,
  signer?: SigningSecret,
): MaybePromise<Delivery> {
  return pipe(
    platform.fingerprint(() => [topic, '\n', bytes]),
    (id) => {
      const labels = signer?.labels ?? []
      const identify: Identify = (deadline) => secrets.identify(topic, signer, deadline)
      return new Delivery({ topic, bytes, receivedAt: receivedAt.getTime(), id, labels, identify })
    },
  )
}

/** A delivery of the same topic and bytes, that shares nothing with this one that can be changed. */
export function copyDelivery(delivery: Delivery): Delivery {
  return new Delivery(readSigned(delivery))
}

/** The fingerprint of a delivery's bytes without its topic. */
export async function bodyIdOf(delivery: Delivery): Promise<string> {
  const { bytes } = readSigned(delivery)
  const id = await platform.fingerprint(() => ['\n', bytes])
  return id()
}
