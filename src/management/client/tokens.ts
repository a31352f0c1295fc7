import { unlessAborted } from './abort.ts'
import { cleanText } from './clean-text.ts'
import { ManagementError, toRefusal } from './errors.ts'
import type { Answer } from './request.ts'
import type { Transport } from './transport.ts'

const TOKEN_ADDRESS = 'https://auth.commercelayer.io/oauth/token'

/** The most bytes of an answer to a token request. Commerce Layer's have some 1,500. */
export const MAX_TOKEN_ANSWER_BYTES = 65_536

export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
}

export interface Tokens {
  /** Resolves to the token to send. It is requested first if there is none, or if it expires soon. */
  get(signal: AbortSignal | undefined): Promise<string>
  /** Drops a token that the API has refused. `false` if there can be no other. */
  discard(token: string): boolean
}

/** A token that the caller got, and cannot renew. */
export function fixedToken(accessToken: string): Tokens {
  return { get: async () => accessToken, discard: () => false }
}

/**
 * Gives the access token for a request. It is called before each request, so it should keep the token for the next one.
 *
 * @param refused the last token that the API refused, such as one that has expired. Get another one then.
 */
export type AccessTokenFunction = (refused?: string) => string | Promise<string>

/** Tokens that a function of the caller gets and keeps. */
export function suppliedTokens(getToken: AccessTokenFunction, timeoutMs: number): Tokens {
  let refused: string | undefined
  return {
    async get(signal) {
      const timeout = AbortSignal.timeout(timeoutMs)
      const until = signal ? AbortSignal.any([signal, timeout]) : timeout
      try {
        const token = await unlessAborted(
          Promise.resolve().then(() => getToken(refused)),
          until,
        )
        if (isToken(token)) return token
      } catch (thrown) {
        signal?.throwIfAborted()
        throw noAccessToken(timeout.aborted ? 'It took longer than `timeoutMs`.' : describeThrown(thrown))
      }
      throw noAccessToken('What it gave is not a token.')
    },
    discard(token) {
      refused = token
      return true
    },
  }
}

function noAccessToken(detail: string | undefined): ManagementError {
  return new ManagementError('ACCESS_TOKEN_MISSING', { detail })
}

/** Only the message: an error may hold the request that it is about. */
function describeThrown(thrown: unknown): string | undefined {
  return thrown instanceof Error ? cleanText(thrown.message) : undefined
}

/**
 * Gets tokens for the credentials of an integration, and keeps each until shortly before it expires. There is one
 * request at a time, however many calls need a token: Commerce Layer allows 30 token requests a minute.
 */
export function createTokens(credentials: Credentials, transport: Transport): Tokens {
  let current: { readonly accessToken: string; readonly renewAt: number } | undefined
  let request: Promise<string> | undefined
  const renew = async () => {
    const requestedAt = Date.now()
    const { accessToken, expiresInMs } = await requestToken(credentials, transport)
    current = { accessToken, renewAt: requestedAt + expiresInMs - renewalMargin(expiresInMs) }
    return accessToken
  }
  return {
    async get(signal) {
      if (current && Date.now() < current.renewAt) return current.accessToken
      request ??= renew().finally(() => {
        request = undefined
      })
      return unlessAborted(request, signal)
    },
    discard(token) {
      if (current?.accessToken === token) current = undefined
      return true
    },
  }
}

/**
 * How long before its expiry a token is renewed: a tenth of the time that it has left, at most ten minutes. Earlier
 * would bring nothing new: until 15 minutes before the expiry Commerce Layer answers with the same token and a smaller
 * `expires_in`. From then on it issues the next one, and both are valid.
 */
function renewalMargin(expiresInMs: number): number {
  return Math.min(expiresInMs / 10, 600_000)
}

/** Next.js before 15 caches the answers to `fetch`, even to POST. Node's types do not know the option. */
const UNCACHED = { cache: 'no-store' } as const

interface Token {
  readonly accessToken: string
  readonly expiresInMs: number
}

/** The flow "Client credentials" of Commerce Layer's page on authentication. */
async function requestToken({ clientId, clientSecret }: Credentials, transport: Transport): Promise<Token> {
  const answer = await transport(
    new URL(TOKEN_ADDRESS),
    {
      method: 'POST',
      headers: { Accept: 'application/json', 'Content-Type': 'application/json' },
      body: JSON.stringify({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
      ...UNCACHED,
    },
    { isRepeatable: true },
  )
  if (answer.status !== 200) throw tokenRefusal(answer)
  const { access_token: accessToken, expires_in: expiresIn } = Object(answer.body)
  if (!isToken(accessToken) || !(typeof expiresIn === 'number' && expiresIn > 0)) {
    throw new ManagementError('RESPONSE_INVALID')
  }
  return { accessToken, expiresInMs: expiresIn * 1000 }
}

/** The characters of a bearer token (RFC 6750), with which it cannot break the header that it is sent in. */
function isToken(given: unknown): given is string {
  return typeof given === 'string' && given.length <= MAX_TOKEN_LENGTH && /^[\w.~+/-]+=*$/.test(given)
}

/** Node refuses requests with more than 16 KiB of headers. Commerce Layer's tokens have less than one. */
const MAX_TOKEN_LENGTH = 8192

function tokenRefusal({ status, body }: Answer): ManagementError {
  const isRefused = status === 400 || status === 401
  return isRefused ? new ManagementError('CREDENTIALS_REFUSED', { status }) : toRefusal(status, Object(body).errors)
}
