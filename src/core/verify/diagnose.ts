import { toBytes } from '../http/request.ts'
import { platform } from '../platform.ts'
import { computeSignature, isSameSignature } from './signature.ts'

/** One diagnosis within this many milliseconds, for all mismatches together. */
const EVERY_MS = 1000
/**
 * With these limits a diagnosis takes 10 ms of processor time at most, whatever the body. They count work and not time,
 * so that the same mismatch gets the same explanation on a busy machine. A large order has 280 KB.
 */
const IN_A_RECEIVER: DiagnosisLimits = { bytes: 512 * 1024, secrets: 2, otherSecrets: 4, replacements: 10_000 }

/** How much work a diagnosis may be. */
export interface DiagnosisLimits {
  readonly bytes: number
  readonly secrets: number
  readonly otherSecrets: number
  readonly replacements: number
}

const REWRITTEN =
  'The body was parsed and serialized again, without the `.0` of its floats: pass the bytes as received.'

/** A signature that no secret of the topic explains. */
export interface Mismatch {
  readonly signature: string
  readonly body: Uint8Array
  readonly secrets: readonly string[]
  readonly otherSecrets: readonly string[]
}

/**
 * Explains in a sentence why a signature does not match, for the log only: it accepts nothing, and the answer does not
 * hold it.
 */
export type Diagnose = (mismatch: Mismatch) => Promise<Explanation>

/** A possible cause: the replacement values with which the signature would match. */
export interface Explanation {
  readonly hint: string
  /** The bytes that were signed. */
  readonly bytes?: Uint8Array
  readonly secrets?: readonly string[]
}

/** Makes a function that examines one mismatch a second: more forgeries do not cost more. */
export function createDiagnosis(): Diagnose {
  let nextAt = Number.NEGATIVE_INFINITY
  return async (mismatch) => {
    const now = performance.now()
    if (now < nextAt) return { hint: 'It was not examined: another mismatch was, within the last second.' }
    nextAt = now + EVERY_MS
    return examine(mismatch, IN_A_RECEIVER)
  }
}

/** Examines one mismatch, within limits. */
export async function examine(
  { signature, body, secrets, otherSecrets }: Mismatch,
  limits: DiagnosisLimits,
): Promise<Explanation> {
  if (body.length === 0) return { hint: 'The body is empty: it was read before it reached the receiver.' }
  if (body.length > limits.bytes) return { hint: 'It was not examined: the body is over 512 KB.' }
  const known = secrets.slice(0, limits.secrets)
  const others = otherSecrets.slice(0, limits.otherSecrets)
  for (const explanation of possibleExplanations(body, others, limits.replacements)) {
    for (const secret of explanation.secrets ?? known) {
      const expected = await computeSignature(explanation.bytes ?? body, secret)
      if (isSameSignature(signature, expected)) return explanation
    }
  }
  return { hint: 'The reason is not known: another secret, changed bytes, or a forgery.' }
}

function* possibleExplanations(
  body: Uint8Array,
  others: readonly string[],
  maxReplacements: number,
): Generator<Explanation> {
  yield { hint: 'It was signed with the secret of another topic: a mix-up, or a replay.', secrets: others }
  const text = platform.decodeUtf8(body) ?? ''
  if (/^[\w+/]/.test(text)) {
    const decoded = decodeBase64(text)
    if (decoded)
      yield { hint: 'The body is still base64: decode it first (on AWS, see `isBase64Encoded`).', bytes: decoded }
    return
  }
  const recoded = undoLatin1(text)
  if (recoded !== text) {
    yield { hint: 'The body was decoded as Latin-1: pass the bytes as received.', bytes: toBytes(recoded) }
    return
  }
  const bytes = SPACED.test(text) ? withoutWhitespace(body, text.startsWith('\ufeff') ? 3 : 0) : body
  const isSpaced = bytes.length < body.length
  if (isSpaced) yield { hint: 'The body has whitespace or a byte order mark added: pass the bytes as received.', bytes }
  const compact = isSpaced ? String(platform.decodeUtf8(bytes)) : text
  const withFloats = restoreFloats(compact, maxReplacements)
  const escaped = restoreEscapes(withFloats, maxReplacements)
  // A body with whitespace gets one of the two, so that there are no more than eight HMACs in all.
  if (withFloats !== compact && !isSpaced) yield { hint: REWRITTEN, bytes: toBytes(withFloats) }
  if (escaped !== (isSpaced ? compact : withFloats)) yield { hint: REWRITTEN, bytes: toBytes(escaped) }
}

/** Whitespace or a byte order mark at an end, or as serializers write it that are told to or are not JavaScript's. */
const SPACED = /^\s|\s$|":\s/

/** Each byte of the UTF-8 became a character of its own. */
function undoLatin1(text: string): string {
  if (!/[\x80-\xff]/.test(text)) return text
  try {
    return decodeURIComponent(escape(text))
  } catch {
    return text
  }
}

/** The bytes of a JSON text from a place on, without whitespace outside of its strings. */
function withoutWhitespace(body: Uint8Array, from: number): Uint8Array {
  const bytes = new Uint8Array(body.length)
  let length = 0
  let isString = false
  for (let i = from; i < body.length; i += 1) {
    if (body[i] === QUOTE) isString = !isString
    else if (isString && body[i] === BACKSLASH) bytes[length++] = Number(body[i++])
    if (isString || Number(body[i]) > SPACE) bytes[length++] = Number(body[i])
  }
  return bytes.subarray(0, length)
}

const SPACE = 0x20
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Lines may end with CRLF: `atob` skips whitespace. */
function decodeBase64(base64: string): Uint8Array | undefined {
  try {
    const binary = atob(base64)
    const bytes = new Uint8Array(binary.length)
    for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i)
    return bytes
  } catch {
    return undefined
  }
}

/** Writes whole numbers in fields of floats as Commerce Layer does: `20.0`. */
function restoreFloats(text: string, max: number): string {
  return replaceSome(text, max, /(?<=_float":)-?\d+(?=[,}])/g, (integer) => `${integer}.0`)
}

/** Writes `&`, `<` and `>` as Commerce Layer does: `\u0026`. */
function restoreEscapes(text: string, max: number): string {
  return replaceSome(text, max, /[&<>]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}

/** Replaces what matches, but gives the text as it was if there is more of it than any delivery has. */
function replaceSome(text: string, max: number, pattern: RegExp, replace: (match: string) => string): string {
  const parts: string[] = []
  let from = 0
  for (const match of text.matchAll(pattern)) {
    if (parts.length === 2 * max) return text
    parts.push(text.slice(from, match.index), replace(match[0]))
    from = match.index + match[0].length
  }
  return parts.join('') + text.slice(from)
}
