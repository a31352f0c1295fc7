import { type DiagnosisLimits, examine } from '../core/verify/diagnose.ts'
import { computeSignature, isSameSignature } from '../core/verify/signature.ts'

/** The argument of {@link explainSignature}. */
export interface SignatureQuestion {
  /** The body as it was received. Text is taken as its UTF-8 bytes. */
  readonly body: Uint8Array | string
  /** The value of the header `X-CommerceLayer-Signature`. */
  readonly signature: string
  /** The shared secrets that may have signed it. */
  readonly secrets: string | readonly string[]
  /** The secrets of other topics. With them a mix-up of topics is found. */
  readonly otherSecrets?: readonly string[] | undefined
}

/** The result of {@link explainSignature}. */
export interface SignatureExplanation {
  readonly matches: boolean
  /** Why it does not match, in a sentence. `undefined` when it matches. */
  readonly reason: string | undefined
  /** The offset of the first byte that differs from what was signed, from 0. Only where what was signed is found. */
  readonly offset: number | undefined
}

const UNLIMITED: DiagnosisLimits = {
  bytes: Number.POSITIVE_INFINITY,
  secrets: Number.POSITIVE_INFINITY,
  otherSecrets: Number.POSITIVE_INFINITY,
  replacements: Number.POSITIVE_INFINITY,
}

/** Base64 of the 32 bytes of an HMAC-SHA256. */
const SIGNATURE = /^[A-Za-z0-9+/]{43}=$/

/**
 * Says whether a signature matches a body, and if not, why: the body was parsed and serialized again, decoded in
 * another way, is still base64, has whitespace added, or was signed with the secret of another topic. It is the
 * diagnosis of the receiver's log without its limits on time, so it is for tools and tests and not for servers.
 *
 * @throws TypeError if there is no secret, or if one is empty or not text.
 * @example
 * const { matches, reason, offset } = await explainSignature({ body, signature, secrets: TEST_SECRET })
 */
export async function explainSignature(question: SignatureQuestion): Promise<SignatureExplanation> {
  const { signature, otherSecrets = [] } = question
  const secrets = [question.secrets].flat()
  checkSecrets(secrets)
  const body = typeof question.body === 'string' ? new TextEncoder().encode(question.body) : question.body
  for (const secret of secrets) {
    if (isSameSignature(signature, await computeSignature(body, secret))) {
      return { matches: true, reason: undefined, offset: undefined }
    }
  }
  if (!SIGNATURE.test(signature)) {
    const reason = 'The signature is not base64 of 32 bytes: pass the header `X-CommerceLayer-Signature` as it came.'
    return { matches: false, reason, offset: undefined }
  }
  const { hint, bytes } = await examine({ signature, body, secrets, otherSecrets }, UNLIMITED)
  return { matches: false, reason: hint, offset: bytes && findDifference(body, bytes) }
}

function checkSecrets(secrets: readonly unknown[]): void {
  const isUsable = (secret: unknown) => typeof secret === 'string' && secret !== ''
  if (secrets.length > 0 && secrets.every(isUsable)) return
  throw new TypeError('explainSignature: `secrets` must be a secret or a list of secrets, which are not empty.')
}

function findDifference(received: Uint8Array, signed: Uint8Array): number {
  let offset = 0
  while (offset < received.length && received[offset] === signed[offset]) offset += 1
  return offset
}
