import type { ReadingLimits, Readings } from './readings.ts'

/** What the core needs, and platforms do in different ways. */
export interface Platform {
  /** Puts a secret into the form that the platform signs with. */
  toHmacKey(secret: Uint8Array): HmacKey
  /** Computes an HMAC-SHA256 in base64. */
  hmac(key: HmacKey, data: Uint8Array): string | Promise<string>
  /**
   * Gives a function that computes a SHA-256 in hex on its first call. Where the runtime hashes only asynchronously, it
   * is computed at once, because the function itself is synchronous.
   */
  fingerprint(material: () => Material): (() => string) | Promise<() => string>
  /** Decodes UTF-8 bytes; `undefined` if they are not UTF-8. A byte order mark is kept: JSON does not begin with one. */
  decodeUtf8(bytes: Uint8Array): string | undefined
  /** Starts a wait of `ms` milliseconds, together with others where requests may share a timer. */
  gather(wait: Wait, ms: number): void
  createReadings(limits: ReadingLimits): Readings
  /** Reads a short body as a whole, where that is faster; gives `undefined` if it is not short. */
  readShort?(request: Request, length: number | undefined, alreadyParsed: () => Error): Promise<Uint8Array> | undefined
  /** Whether the platform may stop the program with its answer. */
  readonly endsWithAnswer: boolean
}

interface Wait {
  start(): void
}

type HmacKey = object
type Material = readonly (string | Uint8Array<ArrayBufferLike>)[]

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Workers and Next's edge: there is WebCrypto, and no module of Node. Workers forbid a timer of one request to end
 * another one, and bound the memory of an instance themselves.
 */
export const platform: Platform = {
  toHmacKey: (secret) =>
    crypto.subtle.importKey('raw', secret as Uint8Array<ArrayBuffer>, { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]),

  async hmac(key, data) {
    const digest = await crypto.subtle.sign(
      'HMAC',
      await (key as ReturnType<typeof crypto.subtle.importKey>),
      data as Uint8Array<ArrayBuffer>,
    )
    return btoa(String.fromCharCode(...new Uint8Array(digest)))
  },

  /** An error is thrown when the fingerprint is asked for, and not before. */
  async fingerprint(material) {
    try {
      const bytes = await new Blob(material() as ConstructorParameters<typeof Blob>[0]).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
      const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
      return () => hex
    } catch (error) {
      return () => {
        throw error
      }
    }
  },

  decodeUtf8(bytes) {
    try {
      return decoder.decode(bytes)
    } catch {
      return undefined
    }
  },

  gather: (wait) => wait.start(),
  createReadings: () => ({ run: (read, wait) => wait(read()) }),
  endsWithAnswer: true,
}
