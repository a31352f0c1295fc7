import { randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { sign, verify } from 'hono/jwt'
import { randomId } from '../../wire/samples/ids.ts'
import { refuse } from './errors.ts'

export interface OauthOptions {
  readonly organization: { readonly id: string; readonly slug: string }
  readonly mode: 'test' | 'live'
  readonly clientId: string
  readonly clientSecret: string
  readonly tokenLifetimeMs: number
}

export interface Oauth {
  /** Answers `POST /oauth/token`. The client credentials come as JSON or as a form. */
  issueToken(c: Context): Promise<Response>
  /** @throws ApiError `UNAUTHORIZED` without a token, `INVALID_TOKEN` for a token that is foreign or expired. */
  checkToken(authorization: string | undefined): Promise<void>
}

/** The errors of RFC 6749, section 5.2, with their status and description. */
const OAUTH_ERRORS = {
  invalid_client: [
    401,
    'Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method.',
  ],
  invalid_request: [400, 'The request is missing a required parameter: grant_type.'],
  unsupported_grant_type: [400, 'The authorization grant type is not supported by the authorization server.'],
} as const

/**
 * Creates access tokens in the form of `auth.commercelayer.io`. They are signed with a random key of this emulator.
 * They have the claims that `@commercelayer/js-auth` and the SDK read. `iss` is that of Commerce Layer, because the SDK
 * reads its domain from there.
 */
export function createOauth({ organization, mode, clientId, clientSecret, tokenLifetimeMs }: OauthOptions): Oauth {
  const key = randomBytes(32).toString('hex')
  const application = { id: randomId(), kind: 'integration', public: false, client_id: clientId, confidential: true }

  async function makeToken(now: number): Promise<Response> {
    const iat = Math.floor(now / 1000)
    const claims = {
      exp: (now + tokenLifetimeMs) / 1000,
      iat,
      iss: 'https://auth.commercelayer.io',
      rand: Math.random(),
    }
    const owner = { organization: { ...organization, enterprise: false, region: 'eu-west-1' }, application }
    const access_token = await sign({ ...owner, test: mode === 'test', scope: SCOPE, ...claims }, key, 'HS256')
    const expires_in = tokenLifetimeMs / 1000
    return Response.json({ access_token, token_type: 'Bearer', expires_in, scope: SCOPE, created_at: iat })
  }

  return {
    async issueToken(c) {
      const { grant_type, client_id, client_secret } = await readBody(c)
      if (grant_type === undefined) return answerOauthError('invalid_request')
      if (grant_type !== 'client_credentials') return answerOauthError('unsupported_grant_type')
      if (client_id !== clientId || client_secret !== clientSecret) return answerOauthError('invalid_client')
      return makeToken(Date.now())
    },
    async checkToken(authorization) {
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
      if (!token) {
        throw refuse('UNAUTHORIZED', 'You are not authorized to perform this action on the requested resource.')
      }
      const claims = await verify(token, key, { alg: 'HS256', exp: false }).catch(() => undefined)
      if (!claims || Number(claims.exp) * 1000 <= Date.now()) {
        throw refuse('INVALID_TOKEN', 'The access token you provided is invalid or has expired.')
      }
    },
  }
}

const SCOPE = 'market:all'

/** Answers as RFC 6749 requires, with the `errors` that js-auth declares. */
function answerOauthError(error: keyof typeof OAUTH_ERRORS): Response {
  const [status, error_description] = OAUTH_ERRORS[error]
  const code = error === 'invalid_client' ? 'UNAUTHORIZED' : 'BAD_REQUEST'
  const errors = [{ title: error, detail: error_description, code, status, meta: { error } }]
  return Response.json({ error, error_description, errors }, { status })
}

async function readBody(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const isForm = /^application\/x-www-form-urlencoded|^multipart\/form-data/i.test(c.req.header('content-type') ?? '')
  const body: unknown = await (isForm ? c.req.parseBody() : c.req.json()).catch(() => undefined)
  return typeof body === 'object' && body !== null ? { ...body } : {}
}
