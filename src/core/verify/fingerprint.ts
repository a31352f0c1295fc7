import { nodeCrypto } from '../platform.ts'

type Material = readonly (string | Uint8Array<ArrayBufferLike>)[]

/**
 * Gives a function that computes a SHA-256 in hex on its first call. Where the runtime hashes only asynchronously
 * (Next's edge, Workers) it is computed at once, because the function itself is synchronous.
 */
export const fingerprint: (material: () => Material) => (() => string) | Promise<() => string> = nodeCrypto
  ? nodeFingerprint(nodeCrypto)
  : webFingerprint

function nodeFingerprint(crypto: NonNullable<typeof nodeCrypto>): (material: () => Material) => () => string {
  return (material) => {
    let hex: string | undefined
    return () => {
      hex ??= material()
        .reduce((hash, part) => hash.update(part), crypto.createHash('sha256'))
        .digest('hex')
      return hex
    }
  }
}

/** An error is thrown when the fingerprint is asked for, and not before. */
async function webFingerprint(material: () => Material): Promise<() => string> {
  try {
    const bytes = await new Blob(material() as ConstructorParameters<typeof Blob>[0]).arrayBuffer()
    const digest = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', bytes))
    const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return () => hex
  } catch (error) {
    return () => {
      throw error
    }
  }
}
