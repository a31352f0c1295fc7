import type { MiddlewareHandler } from 'hono'
import { isLoopback } from '../../schema/loopback.ts'
import { refuse } from './errors.ts'

/** A front in a test may pass on requests to the real hosts. No web page of a stranger has such a name. */
const PLATFORM_HOST = /^[\w-]+\.commercelayer\.io(:\d+)?$/i

/**
 * Creates a middleware that refuses what a web page of somebody else can have a browser send to this machine: with the
 * page's `Origin`, or with its own host name as `Host` once that name leads to 127.0.0.1 (DNS rebinding).
 *
 * @throws ApiError `FORBIDDEN`
 */
export function checkOrigin(): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin')
    const host = c.req.header('host') ?? new URL(c.req.url).host
    if (!(isLocal(`http://${host}`) || PLATFORM_HOST.test(host)) || (origin !== undefined && !isLocal(origin))) {
      throw refuse(
        'FORBIDDEN',
        'The emulator answers requests of this machine, with a loopback host in Host and Origin.',
      )
    }
    await next()
  }
}

function isLocal(address: string): boolean {
  return URL.canParse(address) && isLoopback(new URL(address).hostname)
}
