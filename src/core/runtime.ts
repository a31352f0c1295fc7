/**
 * The only place that finds out which runtime this is. Node, Bun and Deno give their built-in modules without an
 * import, so bundlers see no `node:` specifier. Elsewhere (Next's edge, Workers) both modules are `undefined`, and
 * WebCrypto is used.
 */
export interface NodeCrypto {
  createSecretKey(key: Uint8Array): object
  createHmac(algorithm: 'sha256', key: object): { update(data: Uint8Array): { digest(encoding: 'base64'): string } }
  createHash(algorithm: 'sha256'): Sha256
}

interface Sha256 {
  update(data: Uint8Array | string): Sha256
  digest(encoding: 'hex'): string
}

export interface NodeText {
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
  process?: { getBuiltinModule?: (name: string) => unknown; env?: Readonly<Record<string, string | undefined>> }
}

const { navigator, process } = globalThis as Runtime

export const nodeCrypto = builtIn('node:crypto') as NodeCrypto | undefined
export const nodeText = builtIn('node:buffer') as NodeText | undefined

/** Whether requests may share a timer. Workers forbid it, also where they have Node's modules. */
export const sharesTimers = nodeCrypto !== undefined && navigator?.userAgent !== 'Cloudflare-Workers'

/**
 * Whether the platform may stop the program with its answer: Workers, Lambda (also below Vercel and Netlify) and Google
 * Cloud Functions. Source of the variables: the developer guides of AWS Lambda and of Cloud Run.
 */
export const endsWithAnswer = !sharesTimers || ['AWS_LAMBDA_FUNCTION_NAME', 'K_SERVICE'].some(isSet)

/** Deno is not asked: it would ask the user for a permission, and is none of these platforms. */
function isSet(variable: string): boolean {
  return !navigator?.userAgent?.startsWith('Deno') && process?.env?.[variable] !== undefined
}

/** On Next's edge, each function of `process` is a placeholder that throws when it is called. */
function builtIn(name: string): unknown {
  try {
    return process?.getBuiltinModule?.(name)
  } catch {
    return undefined
  }
}
