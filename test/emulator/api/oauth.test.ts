import { decode, verifyWithJwks } from 'hono/jwt'
import type { HonoJsonWebKey } from 'hono/utils/jwt/jws'
import { createEmulator, type Emulator } from 'hooklayer/emulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askForToken, JSON_API, readToken, startEmulatorForTest } from '../harness.ts'

let emulator: Emulator

beforeAll(async () => {
  emulator = await createEmulator({ organization: 'acme', organizationId: 'AcmeAcmeAc' })
})
afterAll(() => emulator.close())

function readClaims(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

describe('a token', () => {
  it('is issued for client credentials as JSON, and expires after two hours', async () => {
    const { status, body } = await askForToken(emulator)
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'market:all' })
    expect(Math.abs(Number(body.expires_in) - 7200)).toBeLessThan(60)
    expect(Math.abs(body.created_at - Date.now() / 1000)).toBeLessThan(5)
  })

  it('is issued for client credentials as a form', async () => {
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: emulator.clientId,
      client_secret: emulator.clientSecret,
    })
    const answer = await readToken(await fetch(`${emulator.url}/oauth/token`, { method: 'POST', body }))
    expect(answer.status).toBe(200)
    expect(answer.body.access_token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  })

  it('has the claims of an integration', async () => {
    const { access_token } = (await askForToken(emulator)).body
    const claims = readClaims(access_token)
    expect(claims).toMatchObject({
      organization: { id: 'AcmeAcmeAc', slug: 'acme' },
      application: { kind: 'integration', client_id: emulator.clientId, public: false },
      test: true,
      iss: 'https://auth.commercelayer.io',
    })
    expect(Number(claims.exp) - Date.now() / 1000).toBeGreaterThan(7190)
  })

  it('is the same again, with less time left, until 15 minutes before it expires', async () => {
    const first = await askForToken(emulator)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const second = await askForToken(emulator)
    expect(second.body.access_token).toBe(first.body.access_token)
    expect(Number(second.body.expires_in)).toBeLessThan(Number(first.body.expires_in))
    const { emulator: brief } = await startEmulatorForTest({ tokenLifetimeMs: 15 * 60_000 })
    const [one, other] = [await askForToken(brief), await askForToken(brief)]
    expect(one.body.access_token).not.toBe(other.body.access_token)
  })

  it('is issued for credentials in a Basic header, and refused with others', async () => {
    const ask = (secret: string) => {
      const authorization = `Basic ${Buffer.from(`${emulator.clientId}:${secret}`).toString('base64')}`
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      return fetch(`${emulator.url}/oauth/token`, { method: 'POST', headers: { authorization }, body })
    }
    expect((await ask(emulator.clientSecret)).status).toBe(200)
    expect((await ask('wrong')).status).toBe(401)
    expect((await ask('%')).status).toBe(401)
  })

  it('is signed with RS512 and a key of the JWKS, and expires at a whole second', async () => {
    const { access_token } = (await askForToken(emulator)).body
    const { keys } = (await (await fetch(`${emulator.url}/.well-known/jwks.json`)).json()) as { keys: HonoJsonWebKey[] }
    const { header } = decode(access_token)
    expect(header).toMatchObject({ alg: 'RS512', kid: keys[0]?.kid })
    expect(keys[0]).not.toHaveProperty('d')
    const claims = await verifyWithJwks(access_token, { keys, allowedAlgorithms: ['RS512'] })
    expect(Number.isInteger(claims.exp)).toBe(true)
  })

  it('is marked as live in live mode', async () => {
    const { token } = await startEmulatorForTest({ mode: 'live' })
    expect(readClaims(token).test).toBe(false)
  })
})

describe('no token is issued', () => {
  it.each([
    { case: 'another secret', changes: { client_secret: 'wrong' }, status: 401, error: 'invalid_client' },
    { case: 'another client', changes: { client_id: 'wrong' }, status: 401, error: 'invalid_client' },
    { case: 'no secret', changes: { client_secret: undefined }, status: 401, error: 'invalid_client' },
    { case: 'another grant', changes: { grant_type: 'password' }, status: 400, error: 'unsupported_grant_type' },
    { case: 'no grant', changes: { grant_type: undefined }, status: 400, error: 'invalid_request' },
  ])('for $case', async ({ changes, status, error }) => {
    const answer = await askForToken(emulator, changes)
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ error, errors: [{ title: error, status, meta: { error } }] })
    expect(answer.body).not.toHaveProperty('access_token')
  })

  it.each(['{', '[]', '"text"', 'null', ''])('for the body %j', async (body) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await readToken(await fetch(`${emulator.url}/oauth/token`, { method: 'POST', headers, body }))
    expect(answer.status).toBe(400)
    expect(answer.body.error).toBe('invalid_request')
  })
})

describe('the API refuses', () => {
  async function refusal(authorization?: string): Promise<unknown> {
    const headers = { accept: JSON_API, ...(authorization && { authorization }) }
    const response = await fetch(`${emulator.url}/api/webhooks`, { headers })
    return { status: response.status, ...((await response.json()) as object) }
  }

  it('a request without a token', async () => {
    const detail = 'You are not authorized to perform this action on the requested resource.'
    expect(await refusal()).toEqual({
      status: 401,
      errors: [{ title: 'Unauthorized', detail, code: 'UNAUTHORIZED', status: '401' }],
    })
  })

  it('a token that another emulator signed, or nobody', async () => {
    const { token } = await startEmulatorForTest()
    for (const other of [token, `${token.slice(0, -4)}AAAA`, 'a.b.c', 'nonsense']) {
      expect(await refusal(`Bearer ${other}`)).toMatchObject({ status: 401, errors: [{ code: 'INVALID_TOKEN' }] })
    }
  })

  it('a token with the algorithm none', async () => {
    const { access_token } = (await askForToken(emulator)).body
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    const unsigned = `${header}.${access_token.split('.')[1]}.`
    for (const token of [unsigned, `${unsigned}AAAA`])
      expect(await refusal(`Bearer ${token}`)).toMatchObject({ status: 401 })
  })

  it('a token that expired a few milliseconds ago', async () => {
    const { ask } = await startEmulatorForTest({ tokenLifetimeMs: 300 })
    expect((await ask('webhooks')).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 310))
    const { status, body } = await ask('webhooks')
    expect(status).toBe(401)
    expect(body.errors[0]?.code).toBe('INVALID_TOKEN')
  })
})
