import { authenticate } from '@commercelayer/js-auth'
import type { QueryFilter } from '@commercelayer/sdk'
import { CommerceLayer } from '@commercelayer/sdk/bundle'
import { createEmulator, type Emulator } from 'hooklayer/emulator'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { GONE, startEndpoint } from './harness.ts'

/** Replaces `commercelayer.io` by a domain that does not exist, so that no request leaves this machine. */
const DOMAIN = 'commercelayer.invalid'

let emulator: Emulator
let endpoint: Awaited<ReturnType<typeof startEndpoint>>
let cl: ReturnType<typeof CommerceLayer>

/** Sends requests for the hosts of Commerce Layer to the emulator. */
function fetchLocally(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const { host, pathname, search } = new URL(String(input))
  expect([`auth.${DOMAIN}`, `acme.${DOMAIN}`]).toContain(host)
  return nodeFetch(new URL(`${pathname}${search}`, emulator.url), init)
}
const nodeFetch = globalThis.fetch

async function authenticated(clientSecret: string) {
  vi.stubGlobal('fetch', fetchLocally)
  return authenticate('client_credentials', { domain: DOMAIN, clientId: emulator.clientId, clientSecret })
}

beforeAll(async () => {
  endpoint = await startEndpoint()
  emulator = await createEmulator({ organization: 'acme', retries: 0 })
  const { accessToken } = await authenticated(emulator.clientSecret)
  vi.unstubAllGlobals()
  cl = CommerceLayer({ organization: 'acme', domain: DOMAIN, accessToken, fetch: fetchLocally })
})
afterEach(() => {
  vi.unstubAllGlobals()
})
afterAll(async () => {
  await emulator.close()
  await endpoint.close()
})

describe('js-auth', () => {
  it('gets a token and its expiry', async () => {
    const { accessToken, expires, tokenType, errors } = await authenticated(emulator.clientSecret)
    expect(accessToken.split('.')).toHaveLength(3)
    expect(tokenType).toBe('Bearer')
    expect(Math.round((expires.getTime() - Date.now()) / 60_000)).toBe(120)
    expect(errors).toBeUndefined()
  })

  it('gets errors in the form that it declares', async () => {
    const { accessToken, errors } = await authenticated('wrong')
    expect(accessToken).toBeUndefined()
    expect(errors).toMatchObject([{ code: 'UNAUTHORIZED', status: 401, title: 'invalid_client' }])
  })
})

describe('the SDK', () => {
  it('reads the organization from the token', async () => {
    const { accessToken } = await authenticated(emulator.clientSecret)
    vi.unstubAllGlobals()
    const client = CommerceLayer({ domain: DOMAIN, accessToken, fetch: fetchLocally })
    expect(client.currentOrganization).toBe('acme')
    expect(await client.organization.retrieve()).toMatchObject({ type: 'organizations', slug: 'acme' })
  })

  it('creates a webhook with every argument, then retrieves, updates and deletes it', async () => {
    const argument = {
      name: 'every argument',
      topic: 'orders.approve',
      callback_url: `${endpoint.url}/200`,
      include_resources: ['customer', 'line_items.item'],
      reference: 'R1',
      reference_origin: 'ERP',
      metadata: { a: { b: [1] } },
    }
    const created = await cl.webhooks.create({ ...argument, _disable: true })
    expect(created).toEqual({
      ...argument,
      id: expect.stringMatching(/^[A-Za-z]{10}$/),
      type: 'webhooks',
      disabled_at: created.created_at,
      circuit_state: 'closed',
      circuit_failure_count: 0,
      shared_secret: expect.stringMatching(/^[0-9a-f]{32}$/),
      created_at: expect.any(String),
      updated_at: created.created_at,
    })
    expect(await cl.webhooks.retrieve(created.id)).toEqual(created)
    expect((await cl.webhooks._enable(created)).disabled_at).toBeNull()
    expect((await cl.webhooks._disable(created)).disabled_at).not.toBeNull()
    expect(await cl.webhooks._reset_circuit(created)).toMatchObject({ circuit_state: 'closed' })
    const changes = { id: created.id, name: 'changed', topic: 'orders.pay', include_resources: null, metadata: {} }
    const fields = { webhooks: ['name', 'topic'] as ('name' | 'topic')[] }
    expect(await cl.webhooks.update(changes, { fields })).toEqual({
      id: created.id,
      type: 'webhooks',
      name: 'changed',
      topic: 'orders.pay',
    })
    await cl.webhooks.delete(created.id)
    await expect(cl.webhooks.retrieve(created.id)).rejects.toMatchObject({ status: 404 })
  })

  it('recognizes errors of the emulator as its ApiError', async () => {
    const taken = { name: 'taken', topic: 'orders.approve', callback_url: GONE }
    const { id } = await cl.webhooks.create(taken)
    const refusals: [() => Promise<unknown>, number, string][] = [
      [() => cl.webhooks.create({ ...taken, name: 'x', topic: 'a.b' }), 422, 'VALIDATION_ERROR'],
      [() => cl.webhooks.create(taken), 422, 'VALIDATION_ERROR'],
      [() => cl.webhooks.list({ filters: { nmae_eq: 'x' } }), 400, 'FILTER_NOT_ALLOWED'],
      [() => cl.webhooks.list({ include: ['orders'] }), 400, 'INVALID_INCLUDE'],
      [() => cl.webhooks.list({ pageSize: 26 as 25 }), 400, 'INVALID_PAGE_VALUE'],
      [() => cl.events.retrieve('AbCdEfGhIj'), 404, 'RECORD_NOT_FOUND'],
    ]
    for (const [refuse, status, code] of refusals) {
      const error = await refuse().catch((thrown: unknown) => thrown)
      expect(cl.isApiError(error)).toBe(true)
      const errors = status === 404 ? { code, status } : [{ code, status: String(status) }]
      expect(error).toMatchObject({ status, errors })
    }
    await cl.webhooks.delete(id)
  })

  it('renews an expired token', async () => {
    const short = await createEmulator({ organization: 'acme', tokenLifetimeMs: 2_000 })
    const request = (input: string | URL | Request, init?: RequestInit) =>
      nodeFetch(new URL(new URL(String(input)).pathname, short.url), init)
    const fetchToken = async () => {
      const { clientId, clientSecret } = short
      vi.stubGlobal('fetch', request)
      const { accessToken } = await authenticate('client_credentials', { domain: DOMAIN, clientId, clientSecret })
      vi.unstubAllGlobals()
      return accessToken
    }
    const refreshToken = vi.fn(fetchToken)
    const client = CommerceLayer({
      organization: 'acme',
      domain: DOMAIN,
      accessToken: await fetchToken(),
      fetch: request,
      refreshToken,
    })
    await client.webhooks.list()
    expect(refreshToken).not.toHaveBeenCalled()
    await new Promise((resolve) => setTimeout(resolve, 2_010))
    expect(await client.webhooks.list()).toHaveLength(0)
    expect(refreshToken).toHaveBeenCalledTimes(1)
    await short.close()
  })
})

describe('lists', () => {
  const CODES = [200, 201, 404, 500]

  /** Creates four webhooks. Each of ten events calls all of them. */
  beforeAll(async () => {
    for (const code of CODES) {
      const callback_url = `${endpoint.url}/${code}`
      await cl.webhooks.create({ name: `answers ${code}`, topic: 'customers.create', callback_url, metadata: { code } })
    }
    for (let n = 0; n < 10; n++) await emulator.trigger('customers.create', { id: `Customer${'abcdefghij'[n]}x` })
  })

  const PREDICATES: QueryFilter[] = [
    { response_code_eq: '404' },
    { response_code_not_eq: '404' },
    { response_code_matches: '40_' },
    { response_code_does_not_match: '40%' },
    { response_code_matches_any: ['2%', '4%'] },
    { response_code_matches_all: ['2%', '%1'] },
    { response_code_does_not_match_any: ['2%', '%1'] },
    { response_code_does_not_match_all: ['2%', '4%'] },
    { response_code_lt: '404' },
    { response_code_lteq: '404' },
    { response_code_gt: '404' },
    { response_code_gteq: '404' },
    { response_code_lt_any: ['201', '404'] },
    { response_code_lt_all: ['201', '404'] },
    { response_code_lteq_any: ['201', '404'] },
    { response_code_lteq_all: ['201', '404'] },
    { response_code_gt_any: ['201', '404'] },
    { response_code_gt_all: ['201', '404'] },
    { response_code_gteq_any: ['201', '404'] },
    { response_code_gteq_all: ['201', '404'] },
    { response_code_not_eq_all: ['201', '404'] },
    { response_code_in: ['201', '404'] },
    { response_code_not_in: '201,404' },
    { response_code_not_in_or_null: ['201', '404'] },
    { response_code_present: true },
    { response_code_blank: true },
    { response_code_null: true },
    { response_code_not_null: true },
    { response_code_true: true },
    { response_code_false: true },
    { response_code_start: '20' },
    { response_code_not_start: '20' },
    { response_code_end: '1' },
    { response_code_not_end: '1' },
    { response_code_cont: '0' },
    { response_code_not_cont: '1' },
    { response_code_start_any: ['4', '5'] },
    { response_code_start_all: ['2', '20'] },
    { response_code_not_start_any: ['4', '5'] },
    { response_code_not_start_all: ['4', '5'] },
    { response_code_end_any: ['1', '4'] },
    { response_code_end_all: ['1', '01'] },
    { response_code_not_end_any: ['1', '01'] },
    { response_code_not_end_all: ['1', '4'] },
    { response_code_cont_any: ['1', '4'] },
    { response_code_cont_all: ['0', '4'] },
    { response_code_not_cont_any: ['0', '4'] },
    { response_code_not_cont_all: ['1', '4'] },
    { webhook_metadata_jcont: { code: 404 } },
    { webhook_name_eq: 'answers 500' },
    { response_code_or_webhook_name_cont: '500' },
    { created_at_gt: '2999-01-01T00:00:00Z' },
  ]

  it('are filtered by every documented predicate', async () => {
    const found: Record<string, string> = {}
    for (const filters of PREDICATES) {
      const callbacks = await cl.event_callbacks.list({ filters, pageSize: 25, fields: ['response_code'] })
      const codes = callbacks.map(({ response_code }) => response_code)
      const [[key] = []] = Object.entries(filters)
      found[key ?? ''] = [...new Set(codes)].sort().join(' ')
      expect(callbacks.meta.recordCount % 10).toBe(0)
    }
    expect(found).toMatchInlineSnapshot(`
      {
        "created_at_gt": "",
        "response_code_blank": "",
        "response_code_cont": "200 201 404 500",
        "response_code_cont_all": "404",
        "response_code_cont_any": "201 404",
        "response_code_does_not_match": "200 201 500",
        "response_code_does_not_match_all": "500",
        "response_code_does_not_match_any": "200 404 500",
        "response_code_end": "201",
        "response_code_end_all": "201",
        "response_code_end_any": "201 404",
        "response_code_eq": "404",
        "response_code_false": "",
        "response_code_gt": "500",
        "response_code_gt_all": "500",
        "response_code_gt_any": "404 500",
        "response_code_gteq": "404 500",
        "response_code_gteq_all": "404 500",
        "response_code_gteq_any": "201 404 500",
        "response_code_in": "201 404",
        "response_code_lt": "200 201",
        "response_code_lt_all": "200",
        "response_code_lt_any": "200 201",
        "response_code_lteq": "200 201 404",
        "response_code_lteq_all": "200 201",
        "response_code_lteq_any": "200 201 404",
        "response_code_matches": "404",
        "response_code_matches_all": "201",
        "response_code_matches_any": "200 201 404",
        "response_code_not_cont": "200 404 500",
        "response_code_not_cont_all": "200 500",
        "response_code_not_cont_any": "200 201 500",
        "response_code_not_end": "200 404 500",
        "response_code_not_end_all": "200 500",
        "response_code_not_end_any": "200 404 500",
        "response_code_not_eq": "200 201 500",
        "response_code_not_eq_all": "200 500",
        "response_code_not_in": "200 500",
        "response_code_not_in_or_null": "200 500",
        "response_code_not_null": "200 201 404 500",
        "response_code_not_start": "404 500",
        "response_code_not_start_all": "200 201",
        "response_code_not_start_any": "200 201 404 500",
        "response_code_null": "",
        "response_code_or_webhook_name_cont": "500",
        "response_code_present": "200 201 404 500",
        "response_code_start": "200 201",
        "response_code_start_all": "200 201",
        "response_code_start_any": "404 500",
        "response_code_true": "",
        "webhook_metadata_jcont": "404",
        "webhook_name_eq": "500",
      }
    `)
  })

  it('are read page by page, without missing or repeated records', async () => {
    const ids: string[] = []
    let pageCount = 1
    for (let pageNumber = 1; pageNumber <= pageCount; pageNumber++) {
      const page = await cl.event_callbacks.list({ pageNumber, pageSize: 7, sort: { created_at: 'desc', id: 'asc' } })
      pageCount = page.meta.pageCount
      ids.push(...page.map(({ id }) => id))
    }
    expect(pageCount).toBe(6)
    expect(new Set(ids)).toEqual(new Set(emulator.eventCallbacks.map(({ id }) => id)))
    expect(ids).toHaveLength(40)
  })

  it('include related resources', async () => {
    const callbacks = await cl.event_callbacks.list({
      include: ['webhook'],
      filters: { response_code_eq: '201' },
      fields: { event_callbacks: ['response_code', 'payload', 'webhook'], webhooks: ['name'] },
      sort: ['-created_at'],
    })
    expect(callbacks).toHaveLength(10)
    expect(callbacks[0]).toEqual({
      id: expect.any(String),
      type: 'event_callbacks',
      response_code: '201',
      payload: expect.objectContaining({ data: expect.objectContaining({ id: 'Customerjx' }) }),
      webhook: { id: expect.any(String), type: 'webhooks', name: 'answers 201' },
    })
  })

  it('of related resources can be read too', async () => {
    const webhook = emulator.webhooks.find(({ name }) => name === 'answers 500')
    const last = await cl.webhooks.last_event_callbacks(webhook?.id ?? '', { pageSize: 3 })
    expect([...last].map(({ response_code }) => response_code)).toEqual(['500', '500', '500'])
    expect(last.meta).toMatchObject({ recordCount: 10, pageCount: 4 })
    expect((await cl.event_callbacks.webhook(last[0]?.id ?? '')).name).toBe('answers 500')
  })

  it('contain events, which can be triggered again', async () => {
    const [event] = await cl.events.list({
      filters: { name_eq: 'customers.create' },
      include: ['last_event_callbacks'],
      pageSize: 1,
    })
    expect(event?.last_event_callbacks).toHaveLength(4)
    expect((await cl.events._trigger(event?.id ?? '')).name).toBe('customers.create')
    await emulator.settled()
    expect(await cl.events.last_event_callbacks(event?.id ?? '')).toHaveLength(8)
    expect(await cl.events.webhooks(event?.id ?? '')).toHaveLength(4)
  })
})
