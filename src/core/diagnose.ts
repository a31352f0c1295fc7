import { isSameSignature, signatureOf } from './signature.ts'
import { textOf } from './text.ts'

const encoder = new TextEncoder()

const MAX_BYTES = 1024 * 1024
const MAX_SECRETS = 2
const MAX_OTHERS = 4

const HINTS = {
  empty: 'The body is empty: something between the sender and the receiver consumed or dropped it.',
  large: 'The body is over 1 MB and was not examined further.',
  hex: 'The signature is written in hex. Commerce Layer sends base64, so this came from something else, a test script perhaps.',
  spaced: 'The secret that was looked up has white space at its ends: without it, the signature matches.',
  other:
    'The body was signed with the secret of another topic: two secrets are mixed up, or a delivery is being replayed.',
  rewritten:
    'The body was parsed and written again: with integers in `*_float` attributes as 20.0, as Commerce Layer sends them, the ' +
    'signature matches. Hand over the bytes as they came, before any JSON parser.',
  base64: 'The body is still base64: decode it first. On AWS, look at `isBase64Encoded`.',
  unknown:
    "Neither this topic's secret nor a known mistake explains it: another webhook's secret, changed bytes or a forgery.",
} as const

/** One explanation: had it been this signature, these bytes or these secrets, it would have matched. */
interface Attempt {
  readonly hint: string
  readonly signature?: string
  readonly bytes?: Uint8Array
  readonly secrets?: readonly string[]
}

/**
 * Says in a sentence why a signature does not match, for the log: it never accepts anything, and the sender is told nothing
 * of it. Bounded work: a forged request buys at most 8 HMACs, and none with a body over 1 MB.
 */
export async function diagnose(
  signature: string,
  body: Uint8Array,
  secrets: readonly string[],
  others: readonly string[],
): Promise<string> {
  if (body.length === 0) return HINTS.empty
  if (body.length > MAX_BYTES) return HINTS.large
  const known = secrets.slice(0, MAX_SECRETS)
  for (const attempt of attempts(signature, body, known, others.slice(0, MAX_OTHERS))) {
    for (const secret of attempt.secrets ?? known) {
      const expected = await signatureOf(attempt.bytes ?? body, secret)
      if (isSameSignature(attempt.signature ?? signature, expected)) return attempt.hint
    }
  }
  return HINTS.unknown
}

function* attempts(
  signature: string,
  body: Uint8Array,
  secrets: readonly string[],
  others: readonly string[],
): Generator<Attempt> {
  if (/^[0-9a-f]{64}$/i.test(signature)) {
    yield {
      hint: HINTS.hex,
      signature: btoa(signature.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)))),
    }
    return
  }
  const trimmed = secrets.map((secret) => secret.trim()).filter((secret, i) => secret !== '' && secret !== secrets[i])
  yield { hint: HINTS.spaced, secrets: trimmed }
  yield { hint: HINTS.other, secrets: others }
  const text = textOf(body) ?? ''
  if (/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) {
    yield* decoded(text)
    return
  }
  const withFloats = text.replace(/("[a-z_]{1,60}_float":)(-?\d+)(?=[,}])/g, '$1$2.0')
  if (withFloats !== text) yield { hint: HINTS.rewritten, bytes: encoder.encode(withFloats) }
  const escaped = withFloats.replace(/[&<>]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
  if (escaped !== withFloats) yield { hint: HINTS.rewritten, bytes: encoder.encode(escaped) }
}

function* decoded(base64: string): Generator<Attempt> {
  try {
    yield { hint: HINTS.base64, bytes: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)) }
  } catch {
    // Of base64's alphabet, but not base64.
  }
}
