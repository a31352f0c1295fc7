import type { authenticate as Authenticate } from '@commercelayer/js-auth'
import { unlessAborted } from './abort.ts'
import { ManagementError, toRefusal } from './errors.ts'
import { type Answer, toResponse } from './request.ts'
import type { Transport } from './transport.ts'

export interface Credentials {
  readonly clientId: string
  readonly clientSecret: string
}

export interface Tokens {
  /** The token to send, gotten first if there is none that lives long enough. */
  current(signal: AbortSignal | undefined): Promise<string>
  /** Forgets a token that was refused, whoever finds out; `false` if there can be no other. */
  discard(token: string): boolean
}

/** A token that somebody else got, and renews. */
export function fixedToken(accessToken: string): Tokens {
  return { current: async () => accessToken, discard: () => false }
}

/** Gets tokens for an integration's credentials with js-auth, keeps one until shortly before it expires, and asks for one at a time. */
export function createTokens(credentials: Credentials, transport: Transport): Tokens {
  let held: { readonly token: string; readonly until: number } | undefined
  let request: Promise<string> | undefined
  const renew = async () => {
    const from = Date.now()
    const { accessToken, expiresIn } = await requestToken(credentials, transport)
    held = { token: accessToken, until: from + expiresIn * 1000 - renewalMargin(expiresIn) }
    return accessToken
  }
  return {
    async current(signal) {
      if (held && Date.now() < held.until) return held.token
      request ??= renew().finally(() => {
        request = undefined
      })
      return unlessAborted(request, signal)
    },
    discard(token) {
      if (held?.token === token) held = undefined
      return true
    },
  }
}

/** A tenth of its life, at most ten minutes: js-auth renews that early, too, since from 15 minutes on there is a new one. */
function renewalMargin(expiresIn: number): number {
  return Math.min(expiresIn * 100, 600_000)
}

interface Token {
  readonly accessToken: string
  readonly expiresIn: number
}

async function requestToken(credentials: Credentials, transport: Transport): Promise<Token> {
  const { authenticate } = await import('@commercelayer/js-auth').catch(() => {
    throw new ManagementError('JS_AUTH_MISSING')
  })
  const answer: Partial<Token> = await authenticateBy(authenticate, credentials, async (input, init = {}) => {
    const answer = await transport(new URL(String(input)), init, { isRepeatable: true })
    if (answer.status !== 200) throw tokenRefusal(answer)
    return toResponse(answer)
  })
  const { accessToken, expiresIn } = answer
  if (typeof accessToken !== 'string' || typeof expiresIn !== 'number') throw new ManagementError('RESPONSE_INVALID')
  return { accessToken, expiresIn }
}

/**
 * js-auth has no option for its `fetch`, without which there is no other address than Commerce Layer's, no time-out and no retry. It
 * calls the global one before its first `await`, so ours stands there until `authenticate` returns, and nobody else sees it.
 */
async function authenticateBy(
  authenticate: typeof Authenticate,
  credentials: Credentials,
  ours: typeof fetch,
): Promise<Partial<Token>> {
  const theirs = globalThis.fetch
  let isAsked = false
  globalThis.fetch = async (input, init) => {
    isAsked = true
    await undefined // What comes next needs the real one.
    return ours(input, init)
  }
  try {
    const answer = authenticate('client_credentials', credentials)
    if (!isAsked) throw new ManagementError('JS_AUTH_MISSING')
    return answer
  } finally {
    globalThis.fetch = theirs
  }
}

function tokenRefusal({ status, body }: Answer): ManagementError {
  const isRefused = status === 400 || status === 401
  return isRefused ? new ManagementError('CREDENTIALS_REFUSED', { status }) : toRefusal(status, Object(body).errors)
}
