/**
 * The only place that asks which runtime this is. Node, Bun and Deno hand out their built-in modules without an import, so
 * no bundler ever sees a `node:` specifier; elsewhere (Next's edge, Workers) both are `undefined` and WebCrypto does the work.
 */
interface NodeCrypto {
  createSecretKey(key: Uint8Array): object
  createHmac(algorithm: 'sha256', key: object): { update(data: Uint8Array): { digest(encoding: 'base64'): string } }
  createHash(algorithm: 'sha256'): Sha256
}

interface Sha256 {
  update(data: Uint8Array | string): Sha256
  digest(encoding: 'hex'): string
}

interface NodeText {
  isUtf8(bytes: Uint8Array): boolean
  isAscii(bytes: Uint8Array): boolean
  transcode(bytes: Uint8Array, from: 'utf8', to: 'utf16le'): NodeBytes
  Buffer: { from(buffer: ArrayBufferLike, offset: number, length: number): NodeBytes }
}

interface NodeBytes extends Uint8Array {
  latin1Slice(): string
  ucs2Slice(): string
}

interface Runtime {
  navigator?: { userAgent?: string }
  process?: { getBuiltinModule?: (name: string) => unknown }
}

const { navigator, process } = globalThis as Runtime

export const nodeCrypto = builtIn('node:crypto') as NodeCrypto | undefined
export const nodeText = builtIn('node:buffer') as NodeText | undefined

/** Whether a timer of one request may look after another's. Workers forbid it, with Node's modules at hand or without. */
export const sharesTimers = nodeCrypto !== undefined && navigator?.userAgent !== 'Cloudflare-Workers'

/** Next's edge has a stand-in for every function of `process`, which throws when it is called. */
function builtIn(name: string): unknown {
  try {
    return process?.getBuiltinModule?.(name)
  } catch {
    return undefined
  }
}
