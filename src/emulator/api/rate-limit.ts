import type { MiddlewareHandler } from 'hono'

/** A maximum number of requests in a number of seconds. */
interface Limit {
  readonly max: number
  readonly seconds: number
}

/** Source: Commerce Layer, "Rate limits", for requests in test mode that are not cached. Assumed for live mode too. */
const TOTAL_LIMIT: Limit = { max: 100, seconds: 60 }
const ENDPOINT_LIMIT: Limit = { max: 25, seconds: 10 }
const TOKEN_LIMIT: Limit = { max: 30, seconds: 60 }

interface Window {
  readonly limit: Limit
  readonly endsAt: number
  count: number
}

/**
 * Creates a middleware that counts requests, and answers 429 above a limit. A window starts with its first request. The
 * headers of every answer show the limit that is closest. An endpoint is a method and a resource type: an assumption.
 *
 * @param isEnforced if not, every request counts as the first, so that no client waits.
 */
export function createRateLimit(isEnforced: boolean): MiddlewareHandler {
  const windows = new Map<string, Window>()

  function count(key: string, limit: Limit): Window {
    const now = performance.now()
    const current = windows.get(key)
    const window =
      isEnforced && current && current.endsAt > now ? current : { limit, endsAt: now + limit.seconds * 1000, count: 0 }
    window.count += 1
    windows.set(key, window)
    return window
  }

  return async (c, next) => {
    const counted = c.req.path.startsWith('/oauth/')
      ? [count('tokens', TOKEN_LIMIT)]
      : [count('all', TOTAL_LIMIT), count(nameEndpoint(c.req.method, c.req.path), ENDPOINT_LIMIT)]
    const [closest] = counted.sort((a, b) => countRemaining(a) - countRemaining(b))
    if (closest && countRemaining(closest) < 0) c.res = answerTooMany()
    else await next()
    if (!closest) return
    c.header('X-Ratelimit-Limit', String(closest.limit.max))
    c.header('X-Ratelimit-Interval', String(closest.limit.seconds))
    c.header('X-Ratelimit-Remaining', String(Math.max(0, countRemaining(closest))))
  }
}

const TYPES = /^\/api\/(webhooks|event_callbacks|events|organization)(?:\/|$)/

/** All unknown paths are one endpoint, so that the number of endpoints is bounded. */
function nameEndpoint(method: string, path: string): string {
  return `${/^(GET|POST|PATCH|DELETE)$/.exec(method)?.[0] ?? ''} ${TYPES.exec(path)?.[1] ?? ''}`
}

function countRemaining({ limit, count }: Window): number {
  return limit.max - count
}

/** `errors` is an object in this answer, as Commerce Layer writes it, and a list in all others. */
function answerTooMany(): Response {
  const errors = { title: 'Too Many Requests', code: 'THROTTLED', status: 429 }
  return Response.json({ errors }, { status: 429, headers: { 'retry-after': '0' } })
}
