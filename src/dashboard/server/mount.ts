import type { IncomingMessage } from 'node:http'

/** Node's request, with what Express adds. */
type MountedRequest = IncomingMessage & { readonly originalUrl?: unknown }

/** Where the dashboard is for a request: where it is mounted, and the path below that. */
export interface Place {
  /** Begins and ends with a slash. */
  readonly base: string
  /** Begins with a slash. */
  readonly path: string
}

/**
 * Finds the place of a request. Hosts differ in whether they leave the mount path in the URL: Express, Koa's mount and
 * Hono's take it off, Fastify and Next do not.
 *
 * @param mount the option `path`.
 */
export function findPlace(url: string, incoming: MountedRequest | undefined, mount: string | undefined): Place {
  const { pathname } = new URL(url)
  const base = toBase(mount ?? readMount(incoming))
  const isWithin = `${pathname}/`.startsWith(base)
  return { base, path: `/${isWithin ? pathname.slice(base.length) : pathname.slice(1)}` }
}

/** What a host has taken off the URL. */
function readMount(incoming: MountedRequest | undefined): string {
  const { url = '/', originalUrl } = incoming ?? {}
  if (typeof originalUrl !== 'string') return '/'
  const [before = '', after = ''] = [originalUrl, url].map((one) => one.replace(/\?.*/s, ''))
  // Express gives `/` where the URL ends with the mount path.
  if (after === '/' && !before.endsWith('/')) return before
  return before.endsWith(after) ? before.slice(0, before.length - after.length) : '/'
}

/** With one slash at each end: two at the beginning would name another host. */
function toBase(path: string): string {
  const inner = path
    .split(/[/\\]/)
    .filter((part) => part !== '')
    .join('/')
  return inner === '' ? '/' : `/${inner}/`
}
