import { cutDocument } from './cut-document.ts'
import { isManagementError, ManagementError } from './errors.ts'
import { readText } from './read-text.ts'

export interface SendRequestOptions {
  /** Where the API is, if not at Commerce Layer's own hosts: `/oauth/token` and `/api` are below it. */
  readonly url?: string | undefined
  /** Milliseconds from the request to the end of its answer. */
  readonly timeoutMs: number
  /** The most bytes that an answer may have, unpacked. */
  readonly maxResponseBytes: number
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The parsed JSON; `undefined` if the body is not JSON. */
  readonly body: unknown
}

/** Sends one request, once, and reads the whole answer. */
export type SendRequest = (address: URL, init: RequestInit, signal: AbortSignal | undefined) => Promise<Answer>

/**
 * Creates the function that sends a request.
 *
 * @throws ManagementError `UNREACHABLE`, `CONNECTION_LOST`, `TIMEOUT` or `RESPONSE_TOO_LARGE`; the signal's reason if
 * it is aborted.
 */
export function createSendRequest({ url, timeoutMs, maxResponseBytes }: SendRequestOptions): SendRequest {
  return async (address, init, signal) => {
    const timeout = AbortSignal.timeout(timeoutMs)
    const until = signal ? AbortSignal.any([signal, timeout]) : timeout
    try {
      // The API never redirects. A redirect could send the token or the client secret to a stranger.
      const response = await fetch(rewriteAddress(address, url), { ...init, signal: until, redirect: 'manual' })
      const { status, headers } = response
      return { status, headers, body: parseJson(await readText(response, maxResponseBytes)) }
    } catch (thrown) {
      signal?.throwIfAborted()
      if (isManagementError(thrown)) throw thrown
      throw timeout.aborted ? new ManagementError('TIMEOUT') : connectionError(thrown)
    }
  }
}

/** Makes as much of a `Response` as the SDK reads. In a real one the body would be written and parsed once more. */
export function toResponse({ status, headers, body: whole }: Answer): Response {
  const body = cutDocument(whole)
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

/** The SDK can call only Commerce Layer's hosts, and only over https. */
function rewriteAddress(address: URL, url: string | undefined): URL {
  // Without the look-behind, each slash of a long row would be tried as the first one.
  return url === undefined ? address : new URL(`${url.replace(/(?<!\/)\/+$/, '')}${address.pathname}${address.search}`)
}

/**
 * Codes of Node.js which say that nothing was sent. Other runtimes have no codes: there every failed connection counts
 * as lost.
 */
const NOT_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

function connectionError(thrown: unknown): ManagementError {
  const code = Object(Object(thrown).cause).code
  const detail = typeof code === 'string' ? `(${code})` : undefined
  return new ManagementError(NOT_CONNECTED.has(code) ? 'UNREACHABLE' : 'CONNECTION_LOST', { detail })
}
