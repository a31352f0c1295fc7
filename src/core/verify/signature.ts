import { toBytes } from '../http/request.ts'
import { nodeCrypto } from '../platform.ts'

/** Makes each key once: importing a key takes longer than the HMAC of a small body. */
function keyCache<Key>(make: (secret: Uint8Array) => Key): (secret: string) => Key {
  const keys = new Map<string, Key>()
  return (secret) => {
    let key = keys.get(secret)
    if (key === undefined) {
      key = make(toBytes(secret))
      if (keys.size >= 1000) keys.clear()
      keys.set(secret, key)
    }
    return key
  }
}

/**
 * Computes the signature of a body: base64 of HMAC-SHA256 over its bytes, with the UTF-8 text of the webhook's shared
 * secret as the key. The secret looks like hex, and is not decoded. Gives a promise where the runtime has only
 * WebCrypto. Source: Commerce Layer, "Callbacks security".
 */
export const computeSignature: (body: Uint8Array, secret: string) => string | Promise<string> = nodeCrypto
  ? nodeHmac(nodeCrypto)
  : webHmac()

function nodeHmac(crypto: NonNullable<typeof nodeCrypto>): (body: Uint8Array, secret: string) => string {
  const keyOf = keyCache((secret) => crypto.createSecretKey(secret))
  return (body, secret) => crypto.createHmac('sha256', keyOf(secret)).update(body).digest('base64')
}

function webHmac(): (body: Uint8Array, secret: string) => Promise<string> {
  const { subtle } = globalThis.crypto
  const keyOf = keyCache((secret) =>
    subtle.importKey('raw', secret as Uint8Array<ArrayBuffer>, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']),
  )
  return async (body, secret) => {
    const digest = await subtle.sign('HMAC', await keyOf(secret), body as Uint8Array<ArrayBuffer>)
    return btoa(String.fromCharCode(...new Uint8Array(digest)))
  }
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
