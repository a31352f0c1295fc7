import { nodeCrypto } from '../platform.ts'

type Material = readonly (string | Uint8Array<ArrayBufferLike>)[]

/**
 * A SHA-256 in hex, made when it is first asked for. Where the runtime hashes only asynchronously (Next's edge, Workers) it
 * is made at once, because whoever asks later cannot wait.
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

/** What cannot be made is nobody's trouble until somebody asks for it. */
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
