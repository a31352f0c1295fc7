import { generateKeyPair, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
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
  /** Answers `POST /oauth/token`. The client credentials come as JSON, as a form or in a Basic header. */
  issueToken(c: Context): Promise<Response>
  /** Answers with the public keys of the tokens (JWKS). */
  answerKeys(): Promise<Response>
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

/** The algorithm of Commerce Layer's tokens. */
const ALGORITHM = 'RS512'

/** Makes the key that tokens are signed with: one for all emulators of a process, because it takes its time. */
async function createKeys() {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const identity = { kid: randomUUID(), alg: ALGORITHM, use: 'sig' } as const
  return {
    signing: { ...privateKey.export({ format: 'jwk' }), ...identity },
    verifying: { ...publicKey.export({ format: 'jwk' }), ...identity },
  }
}

let keys: ReturnType<typeof createKeys> | undefined

function readKeys(): ReturnType<typeof createKeys> {
  keys ??= createKeys()
  return keys
}

/** Asking again gives the same token, until this time before it expires. Source: Commerce Layer, "Authentication". */
const OVERLAP_MS = 15 * 60 * 1000

interface IssuedToken {
  readonly accessToken: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/**
 * Creates access tokens in the form of `auth.commercelayer.io`: RS512 with a `kid`, and the claims that
 * `@commercelayer/js-auth` and the SDK read. `iss` is that of Commerce Layer, because the SDK reads its domain from
 * there.
 */
export function createOauth({ organization, mode, clientId, clientSecret, tokenLifetimeMs }: OauthOptions): Oauth {
  let current: IssuedToken | undefined
  const application = { id: randomId(), kind: 'integration', public: false, client_id: clientId, confidential: true }

  async function makeToken(issuedAt: number): Promise<IssuedToken> {
    const expiresAt = issuedAt + tokenLifetimeMs
    const claims = {
      // Whole seconds, as in Commerce Layer. The emulator itself goes by `expires_at_ms`.
      exp: Math.floor(expiresAt / 1000),
      expires_at_ms: expiresAt,
      iat: Math.floor(issuedAt / 1000),
      iss: 'https://auth.commercelayer.io',
      rand: Math.random(),
    }
    const owner = { organization: { ...organization, enterprise: false, region: 'eu-west-1' }, application }
    const { signing } = await readKeys()
    const payload = { ...owner, test: mode === 'test', scope: SCOPE, ...claims }
    return { accessToken: await sign(payload, signing, ALGORITHM), issuedAt, expiresAt }
  }

  async function answerToken(now: number): Promise<Response> {
    const token = current && current.expiresAt - now > OVERLAP_MS ? current : await makeToken(now)
    current = token
    return Response.json({
      access_token: token.accessToken,
      token_type: 'Bearer',
      expires_in: Math.floor((token.expiresAt - now) / 10) / 100,
      scope: SCOPE,
      created_at: Math.floor(token.issuedAt / 1000),
    })
  }

  return {
    async issueToken(c) {
      const given: Readonly<Record<string, unknown>> = { ...readBasic(c), ...(await readBody(c)) }
      const { grant_type, client_id, client_secret } = given
      if (grant_type === undefined) return answerOauthError('invalid_request')
      if (grant_type !== 'client_credentials') return answerOauthError('unsupported_grant_type')
      if (client_id !== clientId || client_secret !== clientSecret) return answerOauthError('invalid_client')
      // The first key takes longer than a short token lives.
      await readKeys()
      return answerToken(Date.now())
    },
    async answerKeys() {
      return Response.json({ keys: [(await readKeys()).verifying] })
    },
    async checkToken(authorization) {
      const [, token] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? []
      if (!token) {
        throw refuse('UNAUTHORIZED', 'You are not authorized to perform this action on the requested resource.')
      }
      const { verifying } = await readKeys()
      const claims = await verify(token, verifying, { alg: ALGORITHM, exp: false }).catch(() => undefined)
      const { application: owner, expires_at_ms } = Object(claims)
      if (owner?.id !== application.id || !(expires_at_ms > Date.now())) {
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

/** The credentials of an HTTP Basic header, as OAuth has them: each of both is percent-encoded. */
function readBasic(c: Context): { client_id?: string; client_secret?: string } {
  const [, encoded = ''] = /^Basic +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? []
  const [, id, secret] = /^([^:]*):(.*)$/.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  if (id === undefined || secret === undefined) return {}
  try {
    return { client_id: decodeURIComponent(id), client_secret: decodeURIComponent(secret) }
  } catch {
    return {}
  }
}

async function readBody(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const isForm = /^application\/x-www-form-urlencoded|^multipart\/form-data/i.test(c.req.header('content-type') ?? '')
  const body: unknown = await (isForm ? c.req.parseBody() : c.req.json()).catch(() => undefined)
  return typeof body === 'object' && body !== null ? { ...body } : {}
}
