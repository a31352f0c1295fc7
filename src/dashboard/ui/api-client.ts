import type { Problem } from '../api.ts'

/** The path at which the dashboard is mounted. */
const BASE = new URL(readMeta('hooklayer-base') || '/', location.origin)

/** Query parameters; what is undefined or empty is left out. */
export type Query = Readonly<Record<string, string | undefined>>

/** A call that failed. The message is a sentence for the reader. */
class CallError extends Error {
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

export function toUrl(path: string, query: Query = {}): string {
  const url = new URL(path, BASE)
  for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value)
  return url.href
}

export function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return call(toUrl(path, query), { signal: signal ?? null }).then((response) => response.json() as Promise<T>)
}

export function getText(path: string, signal?: AbortSignal): Promise<string> {
  return call(toUrl(path), { signal: signal ?? null }).then((response) => response.text())
}

/** Changes something, with the token of the page. */
export async function change<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const response = await call(toUrl(path), {
    method,
    headers: { 'content-type': 'application/json', 'x-hooklayer-token': readMeta('hooklayer-token') },
    body: body === undefined ? null : JSON.stringify(body),
  })
  return (await response.json()) as T
}

/** Whatever was thrown, as a sentence. */
export function toSentence(error: unknown): string {
  return error instanceof CallError ? error.message : 'The answer of the dashboard could not be read.'
}

function readMeta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name=${name}]`)?.content ?? ''
}

async function call(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, credentials: 'same-origin' }).catch((error: unknown) => {
    if (init.signal?.aborted) throw error
    throw new CallError('The dashboard does not answer. Check that its server runs.')
  })
  if (response.ok) return response
  throw new CallError(await readProblem(response), response.status)
}

async function readProblem(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => undefined)) as Problem | undefined
  if (typeof problem?.error === 'string') return problem.error
  if (response.status === 401 || response.status === 403) return 'You are not signed in here any more. Reload the page.'
  return `The dashboard answered with status ${response.status}.`
}
