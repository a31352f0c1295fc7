import type { MiddlewareHandler } from 'hono'

/** So many requests in so many seconds. */
interface Limit {
  readonly max: number
  readonly seconds: number
}

/** Source: Commerce Layer, "Rate limits", for what cannot be cached in test mode; taken for live mode too, an assumption. */
const OF_ALL: Limit = { max: 100, seconds: 60 }
const OF_ENDPOINT: Limit = { max: 25, seconds: 10 }
const OF_TOKENS: Limit = { max: 30, seconds: 60 }

interface Window {
  readonly limit: Limit
  readonly endsAt: number
  count: number
}

/**
 * Counts requests in windows that begin with the first of them, and answers those beyond a limit with 429. The headers of
 * every answer are about the limit that is closest. An endpoint is a method and a type of resource: an assumption.
 */
export function createRateLimit(): MiddlewareHandler {
  const windows = new Map<string, Window>()

  function count(key: string, limit: Limit): Window {
    const now = performance.now()
    const current = windows.get(key)
    const window = current && current.endsAt > now ? current : { limit, endsAt: now + limit.seconds * 1000, count: 0 }
    window.count += 1
    windows.set(key, window)
    return window
  }

  return async (c, next) => {
    const counted = c.req.path.startsWith('/oauth/')
      ? [count('tokens', OF_TOKENS)]
      : [count('all', OF_ALL), count(endpointOf(c.req.method, c.req.path), OF_ENDPOINT)]
    const [closest] = counted.sort((a, b) => remainingOf(a) - remainingOf(b))
    if (closest && remainingOf(closest) < 0) c.res = tooMany()
    else await next()
    if (!closest) return
    c.header('X-Ratelimit-Limit', String(closest.limit.max))
    c.header('X-Ratelimit-Interval', String(closest.limit.seconds))
    c.header('X-Ratelimit-Remaining', String(Math.max(0, remainingOf(closest))))
  }
}

const TYPES = /^\/api\/(webhooks|event_callbacks|events|organization)(?:\/|$)/

/** Paths that lead nowhere are one endpoint, so that there are only so many. */
function endpointOf(method: string, path: string): string {
  return `${/^(GET|POST|PATCH|DELETE)$/.exec(method)?.[0] ?? ''} ${TYPES.exec(path)?.[1] ?? ''}`
}

function remainingOf({ limit, count }: Window): number {
  return limit.max - count
}

/** An object where every other answer has a list, as the platform writes it. */
function tooMany(): Response {
  return Response.json({ errors: { title: 'Too Many Requests', code: 'THROTTLED', status: 429 } }, { status: 429 })
}
