import { decodeUtf8 } from '../decode-utf8.ts'
import { toBytes } from '../http/request.ts'
import { computeSignature, isSameSignature } from './signature.ts'

const MAX_BYTES = 1024 * 1024
const MAX_SECRETS = 2
const MAX_OTHERS = 4

const HINTS = {
  empty: 'The body is empty: it was read before it reached the receiver.',
  large: 'The body is over 1 MB and was not examined.',
  hex: 'The signature is hex: Commerce Layer sends base64.',
  spaced: 'The secret has leading or trailing whitespace.',
  other: 'It was signed with the secret of another topic: the secrets are mixed up, or it is a replay.',
  rewritten: 'The body was parsed and serialized again, without the `.0` of its floats: pass the bytes as received.',
  base64: 'The body is still base64: decode it first (on AWS, see `isBase64Encoded`).',
  unknown: 'The reason is not known: another secret, changed bytes, or a forgery.',
} as const

/** A possible cause: the replacement values with which the signature would match. */
interface Explanation {
  readonly hint: string
  readonly signature?: string
  readonly bytes?: Uint8Array | undefined
  readonly secrets?: readonly string[]
}

/**
 * Explains in a sentence why a signature does not match, for the log only: it accepts nothing, and the answer does not
 * hold it. A forged request costs at most 8 HMACs, and none with a body over 1 MB.
 */
export async function diagnose(
  signature: string,
  body: Uint8Array,
  secrets: readonly string[],
  otherSecrets: readonly string[],
): Promise<string> {
  if (body.length === 0) return HINTS.empty
  if (body.length > MAX_BYTES) return HINTS.large
  const known = secrets.slice(0, MAX_SECRETS)
  for (const explanation of possibleExplanations(signature, body, known, otherSecrets.slice(0, MAX_OTHERS))) {
    for (const secret of explanation.secrets ?? known) {
      const expected = await computeSignature(explanation.bytes ?? body, secret)
      if (isSameSignature(explanation.signature ?? signature, expected)) return explanation.hint
    }
  }
  return HINTS.unknown
}

function* possibleExplanations(
  signature: string,
  body: Uint8Array,
  secrets: readonly string[],
  others: readonly string[],
): Generator<Explanation> {
  if (/^[0-9a-f]{64}$/i.test(signature)) {
    const bytes = signature.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)))
    yield { hint: HINTS.hex, signature: btoa(bytes) }
    return
  }
  yield {
    hint: HINTS.spaced,
    secrets: secrets.map((secret) => secret.trim()).filter((secret) => secret && !secrets.includes(secret)),
  }
  yield { hint: HINTS.other, secrets: others }
  const text = decodeUtf8(body) ?? ''
  if (/^[\w+/=\s]+$/.test(text)) yield { hint: HINTS.base64, bytes: decodeBase64(text) }
  const withFloats = text.replace(/("[a-z_]{1,60}_float":)(-?\d+)(?=[,}])/g, '$1$2.0')
  if (withFloats !== text) yield { hint: HINTS.rewritten, bytes: toBytes(withFloats) }
  const escaped = withFloats.replace(/[&<>]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
  if (escaped !== withFloats) yield { hint: HINTS.rewritten, bytes: toBytes(escaped) }
}

function decodeBase64(base64: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
