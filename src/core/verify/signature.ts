import { toBytes } from '../http/request.ts'
import { platform } from '../platform.ts'

const MAX_KEYS = 1000
const keys = new Map<string, ReturnType<typeof platform.toHmacKey>>()

/** Makes each key once: importing a key takes longer than the HMAC of a small body. */
function keyOf(secret: string): ReturnType<typeof platform.toHmacKey> {
  let key = keys.get(secret)
  if (key === undefined) {
    key = platform.toHmacKey(toBytes(secret))
    if (keys.size >= MAX_KEYS) keys.clear()
    keys.set(secret, key)
  }
  return key
}

/**
 * Computes the signature of a body: base64 of HMAC-SHA256 over its bytes, with the UTF-8 text of the webhook's shared
 * secret as the key. The secret looks like hex, and is not decoded. Gives a promise where the runtime has only
 * WebCrypto. Source: Commerce Layer, "Callbacks security".
 */
export function computeSignature(body: Uint8Array, secret: string): string | Promise<string> {
  return platform.hmac(keyOf(secret), body)
}

/**
 * Signs a body as Commerce Layer does, for tests and tools. The result is the value of the header
 * `X-CommerceLayer-Signature`. Text is signed as its UTF-8 bytes.
 *
 * @throws TypeError for a secret that is not text.
 * @example
 * const signature = await sign(body, secret)
 */
export async function sign(body: Uint8Array | string, secret: string): Promise<string> {
  if (typeof secret !== 'string') throw new TypeError('The secret given to `sign` is not text.')
  return computeSignature(toBytes(body), secret)
}

/**
 * Whether a received signature is the expected one, in constant time. The texts are compared, and not the decoded
 * bytes: base64 has several spellings of the same bytes, and Commerce Layer sends one of them.
 */
export function isSameSignature(received: string, expected: string): boolean {
  let difference = received.length ^ expected.length
  for (let i = 0; i < expected.length; i++) difference |= received.charCodeAt(i) ^ expected.charCodeAt(i)
  return difference === 0
}
