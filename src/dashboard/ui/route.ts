import { useEffect, useState } from 'preact/hooks'

export const PAGES = ['deliveries', 'inbox', 'webhooks', 'trigger', 'answers', 'health'] as const

export type PageName = (typeof PAGES)[number]

/** What the page shows, as the fragment of its address has it: `#/deliveries/{id}?outcome=failed`. */
export interface Route {
  readonly page: PageName
  /** Of what is opened. For `trigger` the topic, or the kind of an external resource. */
  readonly id: string | undefined
  readonly query: Readonly<Record<string, string>>
}

function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s)
  const [name, ...rest] = path.split('/')
  const page = PAGES.find((one) => one === name) ?? 'deliveries'
  const id = rest.length > 0 ? decode(rest.join('/')) : ''
  return { page, id: id || undefined, query: Object.fromEntries(new URLSearchParams(query)) }
}

export function toHash({ page, id, query = {} }: Partial<Route> & { readonly page: PageName }): string {
  const filled = Object.entries(query).filter(([, value]) => value)
  const search = new URLSearchParams(filled).toString()
  return `#/${page}${id ? `/${encodeURIComponent(id)}` : ''}${search ? `?${search}` : ''}`
}

/** Goes there. `replace` leaves no entry in the history, for what changes with each key. */
export function go(route: Parameters<typeof toHash>[0], { replace = false } = {}): void {
  const hash = toHash(route)
  if (hash === location.hash) return
  if (replace) history.replaceState(null, '', hash)
  else history.pushState(null, '', hash)
  dispatchEvent(new HashChangeEvent('hashchange'))
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => readRoute(location.hash))
  useEffect(() => {
    const read = () => setRoute(readRoute(location.hash))
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }, [])
  return route
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
