import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmulatorHarness, type RequestOptions, startEmulator } from '../harness.ts'

let harness: EmulatorHarness

beforeAll(async () => {
  harness = await startEmulator({ organization: 'acme', organizationId: 'AcmeAcmeAc' })
})
afterAll(() => harness.emulator.close())

const ENDPOINT_URL = 'https://example.com/webhooks'
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

function create(attributes?: unknown, data: object = {}): ReturnType<EmulatorHarness['ask']> {
  return harness.ask('webhooks', { method: 'POST', body: { data: { type: 'webhooks', attributes, ...data } } })
}

function update(id: string, attributes: unknown, data: object = {}): ReturnType<EmulatorHarness['ask']> {
  return harness.ask(`webhooks/${id}`, {
    method: 'PATCH',
    body: { data: { type: 'webhooks', id, attributes, ...data } },
  })
}

describe('a webhook is created', () => {
  it('from a topic and a URL, with defaults for everything else', async () => {
    const { status, headers, body } = await create({ topic: 'orders.place', callback_url: ENDPOINT_URL })
    expect(status).toBe(201)
    expect(headers.get('content-type')).toBe('application/vnd.api+json')
    const { id, type, links, attributes, relationships, meta } = body.data
    expect(id).toMatch(/^[A-Za-z]{10}$/)
    const self = `${harness.emulator.url}/api/webhooks/${id}`
    expect({ type, links, meta }).toEqual({
      type: 'webhooks',
      links: { self },
      meta: { mode: 'test', organization_id: 'AcmeAcmeAc', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) },
    })
    expect(attributes).toEqual({
      name: 'acme-orders.place',
      topic: 'orders.place',
      callback_url: ENDPOINT_URL,
      include_resources: null,
      disabled_at: null,
      circuit_state: 'closed',
      circuit_failure_count: 0,
      shared_secret: expect.stringMatching(/^[0-9a-f]{32}$/),
      created_at: expect.stringMatching(ISO),
      updated_at: attributes?.created_at,
      reference: null,
      reference_origin: null,
      metadata: {},
    })
    expect(Object.keys(relationships ?? {})).toEqual(['last_event_callbacks', 'versions', 'event_stores'])
    expect(relationships?.versions).toEqual({
      links: { self: `${self}/relationships/versions`, related: `${self}/versions` },
    })
  })

  it('from every argument', async () => {
    const attributes = {
      name: 'every argument',
      topic: 'customers.create',
      callback_url: 'http://localhost:3000/webhooks?a=b&c=d',
      include_resources: ['customer_group', 'orders'],
      reference: 'R1',
      reference_origin: 'ERP',
      metadata: { deep: { list: [1, null] } },
    }
    const { status, body } = await create({ ...attributes, _disable: true, _enable: false })
    expect(status).toBe(201)
    expect(body.data.attributes).toMatchObject(attributes)
    expect(body.data.attributes?.disabled_at).toMatch(ISO)
  })

  it('with its own secret', async () => {
    const secrets = await Promise.all(
      [1, 2, 3].map(
        async (n) =>
          (await harness.subscribe({ name: `s${n}`, topic: 'orders.pay', callback_url: ENDPOINT_URL })).attributes,
      ),
    )
    expect(new Set(secrets.map((attributes) => attributes?.shared_secret)).size).toBe(3)
  })

  it('and answered with the given include and fields', async () => {
    const body = { data: { type: 'webhooks', attributes: { topic: 'orders.void', callback_url: ENDPOINT_URL } } }
    const query = 'fields[webhooks]=topic,last_event_callbacks&include=last_event_callbacks'
    const answer = await harness.ask(`webhooks?${query}`, { method: 'POST', body })
    expect(answer.body.data.attributes).toEqual({ topic: 'orders.void' })
    expect(Object.keys(answer.body.data.relationships ?? {})).toEqual(['last_event_callbacks'])
    expect(answer.body.data.relationships?.last_event_callbacks?.data).toEqual([])
  })
})

describe('a webhook is refused', () => {
  const good = { name: 'good', topic: 'orders.place', callback_url: ENDPOINT_URL }

  it.each([
    { case: 'no topic', changes: { topic: undefined }, attribute: 'topic', error: 'blank' },
    { case: 'a null topic', changes: { topic: null }, attribute: 'topic', error: 'blank' },
    { case: 'an empty topic', changes: { topic: '' }, attribute: 'topic', error: 'blank' },
    { case: 'a topic that is a number', changes: { topic: 7 }, attribute: 'topic', error: 'invalid' },
    { case: 'an unknown resource', changes: { topic: 'pizzas.create' }, attribute: 'topic', error: 'inclusion' },
    { case: 'an unknown event', changes: { topic: 'orders.eat' }, attribute: 'topic', error: 'inclusion' },
    { case: 'a topic of two events', changes: { topic: 'orders.place.pay' }, attribute: 'topic', error: 'inclusion' },
    { case: 'a resource alone', changes: { topic: 'orders' }, attribute: 'topic', error: 'inclusion' },
    { case: 'no URL', changes: { callback_url: undefined }, attribute: 'callback_url', error: 'blank' },
    { case: 'an invalid URL', changes: { callback_url: 'example' }, attribute: 'callback_url', error: 'invalid' },
    {
      case: 'another scheme',
      changes: { callback_url: 'ftp://example.com' },
      attribute: 'callback_url',
      error: 'invalid',
    },
    {
      case: 'includes as text',
      changes: { include_resources: 'customer' },
      attribute: 'include_resources',
      error: 'invalid',
    },
    {
      case: 'includes of numbers',
      changes: { include_resources: [1] },
      attribute: 'include_resources',
      error: 'invalid',
    },
    {
      case: 'includes that no order has',
      changes: { include_resources: ['line_items.itm'] },
      attribute: 'include_resources',
      error: 'invalid',
    },
    { case: 'metadata as a list', changes: { metadata: [] }, attribute: 'metadata', error: 'invalid' },
    { case: 'a reference that is a number', changes: { reference: 1 }, attribute: 'reference', error: 'invalid' },
    { case: 'a flag as text', changes: { _disable: 'yes' }, attribute: '_disable', error: 'invalid' },
  ])('for $case', async ({ changes, attribute, error }) => {
    const { status, body } = await create({ ...good, ...changes })
    expect(status).toBe(422)
    expect(body.errors).toEqual([
      {
        title: expect.any(String),
        detail: `${attribute} - ${body.errors[0]?.title}`,
        code: 'VALIDATION_ERROR',
        source: { pointer: `/data/attributes/${attribute}` },
        status: '422',
        meta: {
          error,
          ...(changes[attribute as keyof typeof changes] !== undefined && {
            value: changes[attribute as keyof typeof changes],
          }),
        },
      },
    ])
  })

  it.each([
    ['name', 255],
    ['reference', 255],
    ['callback_url', 2048],
  ])('for a %s over its bound of %i, which the error has', async (attribute, count) => {
    const value = `https://example.com/${'x'.repeat(count)}`
    const { status, body } = await create({ ...good, [attribute]: value })
    expect(status).toBe(422)
    const title = `is too long (maximum is ${count} characters)`
    expect(body.errors).toMatchObject([
      { title, detail: `${attribute} - ${title}`, meta: { error: 'too_long', value, count } },
    ])
  })

  it('with an error for each wrong attribute', async () => {
    const { body } = await create({})
    expect(body.errors.map(({ source }) => source?.pointer)).toEqual([
      '/data/attributes/topic',
      '/data/attributes/callback_url',
    ])
  })

  it('for a name that is taken, given or by default', async () => {
    await create({ ...good, name: 'taken' })
    const { status, body } = await create({ ...good, name: 'taken' })
    expect(status).toBe(422)
    expect(body.errors[0]).toMatchObject({ code: 'VALIDATION_ERROR', meta: { error: 'taken', value: 'taken' } })
    const nameless = { topic: 'orders.refund', callback_url: ENDPOINT_URL }
    expect((await create(nameless)).status).toBe(201)
    expect((await create(nameless)).body.errors[0]?.meta).toEqual({ error: 'taken', value: 'acme-orders.refund' })
  })

  it.each([
    { case: 'an unknown attribute', data: { attributes: { ...good, nmae: 'x' } }, code: 'PARAM_NOT_ALLOWED' },
    {
      case: 'a read-only attribute',
      data: { attributes: { ...good, shared_secret: 'x' } },
      code: 'PARAM_NOT_ALLOWED',
    },
    {
      case: 'a reset of the circuit',
      data: { attributes: { ...good, _reset_circuit: true } },
      code: 'PARAM_NOT_ALLOWED',
    },
    { case: 'an id', data: { attributes: good, id: 'AbCdEfGhIj' }, code: 'PARAM_NOT_ALLOWED' },
    { case: 'a relationship', data: { attributes: good, relationships: { market: {} } }, code: 'PARAM_NOT_ALLOWED' },
    { case: 'attributes as a list', data: { attributes: [] }, code: 'BAD_REQUEST' },
    { case: 'relationships as a list', data: { attributes: good, relationships: [] }, code: 'BAD_REQUEST' },
    { case: 'another type', data: { type: 'orders' }, code: 'INVALID_RESOURCE' },
    { case: 'no type', data: { type: undefined }, code: 'PARAM_MISSING' },
  ])('for $case', async ({ data, code }) => {
    const { status, body } = await create(good, data)
    expect(status).toBe(400)
    expect(body.errors.map((error) => error.code)).toEqual([code])
  })

  it.each(['{}', '[]', '{"data":[]}', '{"data":null}', 'null', '7'])('for the body %s', async (text) => {
    const { status, body } = await harness.ask('webhooks', { method: 'POST', body: text })
    expect(status).toBe(400)
    expect(body.errors[0]?.code).toBe('PARAM_MISSING')
  })

  it.each(['{', '', 'hello', '{"data":'])('for %j, which is not JSON', async (text) => {
    const { status, body } = await harness.ask('webhooks', { method: 'POST', body: text })
    expect(status).toBe(400)
    expect(body.errors[0]?.code).toBe('BAD_REQUEST')
  })

  it.each<[string, RequestOptions['headers'], number, string]>([
    ['another Content-Type', { 'content-type': 'application/json' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['another Accept', { accept: 'application/json' }, 406, 'NOT_ACCEPTABLE'],
  ])('for %s', async (_case, headers, status, code) => {
    const answer = await harness.ask('webhooks', { method: 'POST', headers: headers ?? {}, body: {} })
    expect(answer.status).toBe(status)
    expect(answer.body.errors[0]?.code).toBe(code)
  })
})

it('a request with a random body is answered, and never fails', async () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('orders.place', 'http://localhost/', true, null),
  )
  const keys = ['topic', 'callback_url', 'name', 'metadata', 'include_resources', 'reference', '_disable', '__proto__']
  const attributes = fc.dictionary(fc.constantFrom(...keys), value, { noNullPrototype: true })
  const data = fc.oneof(fc.record({ type: fc.constant('webhooks'), attributes }), fc.jsonValue({ maxDepth: 3 }))
  await fc.assert(
    fc.asyncProperty(data, async (randomData) => {
      const { status } = await harness.ask('webhooks', { method: 'POST', body: { data: randomData } })
      expect([201, 400, 409, 422]).toContain(status)
    }),
    { numRuns: 200 },
  )
})

describe('an existing webhook', () => {
  it('is found by its id, and an unknown id is not', async () => {
    const { id, attributes } = await harness.subscribe({
      name: 'found',
      topic: 'orders.place',
      callback_url: ENDPOINT_URL,
    })
    expect((await harness.ask(`webhooks/${id}`)).body.data.attributes).toEqual(attributes)
    for (const other of ['AbCdEfGhIj', '__proto__', 'constructor', '%E0%A4%A']) {
      const { status, headers, body } = await harness.ask(`webhooks/${other}`)
      expect([status, headers.get('retry-after')]).toEqual([404, '0'])
      expect(body.errors).toEqual({
        title: 'Record Not Found',
        detail: 'The requested resource was not found. Please double-check the resource id.',
        code: 'RECORD_NOT_FOUND',
        status: 404,
      })
    }
  })

  it('is updated in the given attributes, and keeps its secret', async () => {
    const before = await harness.subscribe({
      name: 'before',
      topic: 'orders.place',
      callback_url: ENDPOINT_URL,
      metadata: { a: 1 },
      reference: 'R',
    })
    const changes = {
      name: 'after',
      topic: 'orders.cancel',
      callback_url: 'https://example.com/2',
      include_resources: ['market'],
    }
    const { status, body } = await update(before.id, { ...changes, metadata: null, reference_origin: 'ERP' })
    expect(status).toBe(200)
    expect(body.data.attributes).toEqual({
      ...before.attributes,
      ...changes,
      metadata: {},
      reference_origin: 'ERP',
      updated_at: expect.any(String),
    })
    const meta = { ...body.data.meta, trace_id: expect.any(String) }
    expect((await harness.ask(`webhooks/${before.id}`)).body.data).toEqual({ ...body.data, meta })
  })

  it('accepts its own name, refuses that of another webhook, and without a name gets the default', async () => {
    const { id } = await harness.subscribe({ name: 'mine', topic: 'returns.ship', callback_url: ENDPOINT_URL })
    await harness.subscribe({ name: 'theirs', topic: 'returns.ship', callback_url: ENDPOINT_URL })
    expect((await update(id, { name: 'mine' })).status).toBe(200)
    expect((await update(id, { name: 'theirs', reference: 'X' })).status).toBe(422)
    expect((await harness.ask(`webhooks/${id}`)).body.data.attributes).toMatchObject({ name: 'mine', reference: null })
    expect((await update(id, { name: null })).body.data.attributes?.name).toBe('acme-returns.ship')
  })

  it('is disabled, keeps its first `disabled_at`, and is enabled', async () => {
    const { id } = await harness.subscribe({ name: 'toggled', topic: 'orders.place', callback_url: ENDPOINT_URL })
    const disabled = (await update(id, { _disable: true })).body.data.attributes?.disabled_at
    expect(disabled).toMatch(ISO)
    expect((await update(id, { _disable: true })).body.data.attributes?.disabled_at).toBe(disabled)
    expect((await update(id, { _enable: false })).body.data.attributes?.disabled_at).toBe(disabled)
    expect((await update(id, { _enable: true })).body.data.attributes?.disabled_at).toBeNull()
  })

  it.each([
    { case: 'another id', attributes: {}, data: { id: 'AbCdEfGhIj' }, status: 400, code: 'KEY_NOT_INCLUDED_IN_URL' },
    { case: 'no id', attributes: {}, data: { id: undefined }, status: 400, code: 'PARAM_MISSING' },
    { case: 'a null topic', attributes: { topic: null }, data: {}, status: 422, code: 'VALIDATION_ERROR' },
    { case: 'an unknown topic', attributes: { topic: 'a.b' }, data: {}, status: 422, code: 'VALIDATION_ERROR' },
    { case: 'an empty URL', attributes: { callback_url: '' }, data: {}, status: 422, code: 'VALIDATION_ERROR' },
    {
      case: 'a circuit state',
      attributes: { circuit_state: 'closed' },
      data: {},
      status: 400,
      code: 'PARAM_NOT_ALLOWED',
    },
  ])('is not updated for $case', async ({ attributes, data, status, code }) => {
    const [webhook] = harness.emulator.webhooks
    const answer = await update(webhook?.id ?? '', attributes, data)
    expect(answer.status).toBe(status)
    expect(answer.body.errors[0]?.code).toBe(code)
    expect(harness.emulator.webhooks[0]).toEqual(webhook)
  })

  it('is deleted only once', async () => {
    const { id } = await harness.subscribe({ name: 'deleted', topic: 'orders.place', callback_url: ENDPOINT_URL })
    const first = await harness.ask(`webhooks/${id}`, { method: 'DELETE' })
    expect([first.status, first.body]).toEqual([204, {}])
    expect((await harness.ask(`webhooks/${id}`, { method: 'DELETE' })).status).toBe(404)
    expect((await harness.ask(`webhooks/${id}`)).status).toBe(404)
    expect((await update(id, {})).status).toBe(404)
    expect(harness.emulator.webhooks.map((webhook) => webhook.id)).not.toContain(id)
  })
})
