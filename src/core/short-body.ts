/** Up to this length a body is read as a whole, and its progress is not seen. */
const MAX_BYTES = 256 * 1024

/**
 * Reads a short body as a whole where that is faster than its stream; `undefined` elsewhere.
 *
 * A body may be longer than announced. Only those of Node's own requests are known not to be, in servers that adapt
 * them without constructing a `Request` (Hono's). There `request.body` would construct one, which takes longer than the
 * rest of a small delivery. A constructed `Request` may announce any length, and its stream is there.
 *
 * @param length what the request announces.
 * @param alreadyParsed makes the error for a body that another reader has locked.
 */
export function readShort(
  request: Request,
  length: number | undefined,
  alreadyParsed: () => Error,
): Promise<Uint8Array> | undefined {
  const prototype: object | null = Object.getPrototypeOf(request)
  const isConstructed = prototype?.constructor.prototype === prototype
  return isConstructed || length === undefined || length > MAX_BYTES ? undefined : readWhole(request, alreadyParsed)
}

/** Does without `request.body`, so it detects a lock only by the error. */
async function readWhole(request: Request, alreadyParsed: () => Error): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch (error) {
    const isLocked = !request.bodyUsed && (error as Error)?.name === 'TypeError'
    throw isLocked ? alreadyParsed() : error
  }
}
