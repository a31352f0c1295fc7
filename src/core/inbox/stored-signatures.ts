import { checkOption, checkOptions, oneOf, wrongOption } from '../check-options.ts'
import { WebhookError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type MaybePromise, pipe } from '../maybe-promise.ts'
import { createSampling } from '../sampling.ts'
import { findSigner } from '../verify/authenticate.ts'
import { computeSignature } from '../verify/signature.ts'
import type { StoredDelivery } from './inbox.ts'

/**
 * Signs what an inbox stores and verifies it when a worker takes it, so that a delivery that somebody else has written
 * to the database is not handled. Topic and body are signed. The signature does not keep somebody from storing a copy
 * of a genuine delivery again: use `idempotency` for that.
 */
export interface VerifyStoredOptions {
  /**
   * A key of your own, of at least 32 characters, that is not in the database; or several while one replaces another.
   * The first one signs. It is the same in all processes, and not the shared secret of a webhook, which may be rotated
   * while deliveries wait.
   */
  readonly key: string | undefined | readonly (string | undefined)[]
  /**
   * What happens to a delivery without a signature, such as one that was stored before this option was set. `accept`
   * handles it and logs a warning, at most once a minute. `refuse` makes it a dead letter: set it once what was stored
   * before is handled, because anybody can leave out a signature. Default: `accept`.
   */
  readonly unsigned?: 'accept' | 'refuse' | undefined
}

export interface StoredSignatures {
  sign(delivery: Pick<StoredDelivery, 'topic' | 'body'>): MaybePromise<string>
  /** @throws WebhookError `SIGNATURE_MISMATCH`, at once or as a rejection. */
  verify(stored: Pick<StoredDelivery, 'topic' | 'body' | 'signature'>): MaybePromise<void>
}

const OWNER = 'createReceiver: `verifyStored`'
const RULES = { unsigned: oneOf('accept', 'refuse') }
const MIN_KEY_LENGTH = 32
const KEY = {
  fallback: '',
  expected: `text of at least ${MIN_KEY_LENGTH} characters`,
  isValid: (value: unknown) => typeof value === 'string' && value.trim().length >= MIN_KEY_LENGTH,
}

/** @throws TypeError if there is no key, or one is too short. The message does not hold the key. */
export function createStoredSignatures(options: VerifyStoredOptions, logger: Logger): StoredSignatures {
  const { unsigned } = checkOptions(OWNER, options, RULES, ['key'])
  const given: readonly unknown[] = Array.isArray(options.key) ? options.key : [options.key]
  const keys = given.map((key) => ({ text: checkOption(OWNER, 'key', key, KEY), labels: [] }))
  const [first] = keys
  if (first === undefined) throw wrongOption(OWNER, 'key', 'is empty')
  const warnings = createSampling()

  function acceptUnsigned(): void {
    if (unsigned === 'refuse') throw mismatch('What was stored has no signature.')
    if (warnings.count('') === 0) return
    logger.warn('A stored delivery without a signature was accepted. See `verifyStored.unsigned`.')
  }

  return {
    sign: (delivery) => computeSignature(toSignedBytes(delivery), first.text),
    verify(stored) {
      const { signature } = stored
      if (signature === undefined) return acceptUnsigned()
      return pipe(findSigner(keys, String(signature), toSignedBytes(stored)), (signer) => {
        if (!signer) throw mismatch('What was stored was not signed by a receiver.')
      })
    },
  }
}

const encoder = new TextEncoder()

function mismatch(message: string): WebhookError {
  return new WebhookError('SIGNATURE_MISMATCH', { message })
}

/** The prefix keeps the signature of a webhook from passing as one of these, should they have the same key. */
function toSignedBytes({ topic, body }: Pick<StoredDelivery, 'topic' | 'body'>): Uint8Array {
  const prefix = encoder.encode(`hooklayer stored delivery\n${topic}\n`)
  const bytes = new Uint8Array(prefix.length + body.length)
  bytes.set(prefix)
  bytes.set(body, prefix.length)
  return bytes
}
