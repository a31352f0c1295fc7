import { ManagementError } from './errors.ts'

export interface SendRequestOptions {
  /** Where the API is, if not at Commerce Layer's own hosts: `/oauth/token` and `/api` live under it. */
  readonly url?: string | undefined
  /** Milliseconds from a request to the end of its answer. */
  readonly timeoutMs: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The JSON that it is, `undefined` if it is none. */
  readonly body: unknown
}

/** Asks once, and reads the answer to its end. */
export type SendRequest = (address: URL, init: RequestInit, signal: AbortSignal | undefined) => Promise<Answer>

/** @throws ManagementError `UNREACHABLE`, `CONNECTION_LOST` or `TIMEOUT`; the signal's reason if it is aborted. */
export function createSendRequest({ url, timeoutMs }: SendRequestOptions): SendRequest {
  return async (address, init, signal) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const until = signal ? AbortSignal.any([signal, timeout]) : timeout
    try {
      // A redirect could lead the token and the client's secret astray, and the API has none.
      const response = await fetch(rewriteAddress(address, url), { ...init, signal: until, redirect: 'manual' })
      return { status: response.status, headers: response.headers, body: parseJson(await response.text()) }
    } catch (thrown) {
      signal?.throwIfAborted()
      throw timeout.aborted ? new ManagementError('TIMEOUT') : connectionError(thrown)
    }
  }
}

/** As much of a `Response` as the SDK and js-auth look at: a real one would have the body written and read once more. */
export function toResponse({ status, headers, body }: Answer): Response {
  const ok = status >= 200 && status < 300
  return {
    ok,
    status,
    statusText: '',
    headers,
    body: body === undefined ? null : body,
    json: async () => body,
  } as Response
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The SDK and js-auth know https and Commerce Layer's hosts alone. */
function rewriteAddress(address: URL, url: string | undefined): URL {
  return url === undefined ? address : new URL(`${url.replace(/\/+$/, '')}${address.pathname}${address.search}`)
}

/** Codes of Node's that say that nothing was sent. Other runtimes have none: there a connection counts as lost, not as missing. */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

function connectionError(thrown: unknown): ManagementError {
  const code = Object(Object(thrown).cause).code
  const detail = typeof code === 'string' ? `(${code})` : undefined
  return new ManagementError(NOT_CONNECTED.has(code) ? 'UNREACHABLE' : 'CONNECTION_LOST', { detail })
}
