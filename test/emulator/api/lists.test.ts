import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmulatorHarness, GONE, startEmulator, startEndpoint } from '../harness.ts'

let harness: EmulatorHarness
let endpoint: Awaited<ReturnType<typeof startEndpoint>>

/** Creates twelve webhooks: even ones for `orders.place`, odd ones for `customers.create`. w03 is disabled. */
beforeAll(async () => {
  endpoint = await startEndpoint()
  harness = await startEmulator({ retries: 0 })
  for (let n = 0; n < 12; n++) {
    await harness.subscribe({
      name: `w${String(n).padStart(2, '0')}`,
      topic: n % 2 === 0 ? 'orders.place' : 'customers.create',
      callback_url: n % 4 === 1 ? GONE : `${endpoint.url}/${200 + n}`,
      reference: n < 10 ? String(9 - n) : null,
      ...(n === 3 && { _disable: true }),
    })
  }
  await harness.emulator.trigger('orders.place')
  await harness.emulator.trigger('customers.create')
})
afterAll(async () => {
  await harness.emulator.close()
  await endpoint.close()
})

async function listNames(query: string): Promise<unknown[]> {
  const { body } = await harness.ask(`webhooks?${query}`)
  return body.data.map(({ attributes }) => attributes?.name)
}

describe('a list', () => {
  it('has ten records on a page in order of creation, and the total count', async () => {
    const { status, body } = await harness.ask('webhooks')
    expect(status).toBe(200)
    expect(body.data.map(({ attributes }) => attributes?.name)).toEqual([
      'w00',
      'w01',
      'w02',
      'w03',
      'w04',
      'w05',
      'w06',
      'w07',
      'w08',
      'w09',
    ])
    expect(body.meta).toEqual({ record_count: 12, page_count: 2 })
    expect(body).not.toHaveProperty('included')
    const base = `${harness.emulator.url}/api/webhooks`
    expect(body.links).toEqual({
      first: `${base}?page%5Bnumber%5D=1&page%5Bsize%5D=10`,
      next: `${base}?page%5Bnumber%5D=2&page%5Bsize%5D=10`,
      last: `${base}?page%5Bnumber%5D=2&page%5Bsize%5D=10`,
    })
  })

  it('is read page by page with its links, which keep the query', async () => {
    const names: unknown[] = []
    let path: string | undefined = '/api/webhooks?sort=-id&filter[q][name_start]=w&page[size]=5&fields[webhooks]=name'
    const prev: unknown[] = []
    while (path) {
      const { body } = await harness.ask(path.replace(/^.*\/api\//, ''))
      names.push(...body.data.map(({ attributes }) => attributes?.name))
      prev.push(body.links?.prev)
      path = body.links?.next
    }
    expect(names).toHaveLength(12)
    expect(new Set(names).size).toBe(12)
    expect(prev[0]).toBeUndefined()
    expect(prev[2]).toContain('page%5Bnumber%5D=2')
  })

  it('is empty after the last page, and links back to it', async () => {
    const { body } = await harness.ask('webhooks?page[number]=9')
    expect(body.data).toEqual([])
    expect(body.links?.prev).toContain('page%5Bnumber%5D=2')
    expect(body.links).not.toHaveProperty('next')
  })

  it('has one page when it is empty', async () => {
    const { body } = await harness.ask('webhooks?filter[q][name_eq]=nobody')
    expect(body).toMatchObject({ data: [], meta: { record_count: 0, page_count: 1 } })
  })

  it('has at most 25 records on a page', async () => {
    expect((await harness.ask('webhooks?page[size]=25')).body.data).toHaveLength(12)
  })

  it.each([
    ['page[size]=26', 'INVALID_PAGE_VALUE'],
    ['page[size]=0', 'INVALID_PAGE_VALUE'],
    ['page[size]=ten', 'INVALID_PAGE_VALUE'],
    ['page[size]=', 'INVALID_PAGE_VALUE'],
    ['page[number]=0', 'INVALID_PAGE_VALUE'],
    ['page[number]=-1', 'INVALID_PAGE_VALUE'],
    ['page[number]=1.5', 'INVALID_PAGE_VALUE'],
    ['page[number]=1e3', 'INVALID_PAGE_VALUE'],
    ['page[offset]=5', 'PARAM_NOT_ALLOWED'],
    ['page=2', 'PARAM_NOT_ALLOWED'],
    ['limit=5', 'PARAM_NOT_ALLOWED'],
    ['sort=name', 'INVALID_SORT_CRITERIA'],
    ['sort=-created_at,topic', 'INVALID_SORT_CRITERIA'],
    ['sort=--id', 'INVALID_SORT_CRITERIA'],
    ['sort=constructor', 'INVALID_SORT_CRITERIA'],
    ['include=webhook', 'INVALID_INCLUDE'],
    ['include=event_stores.id', 'INVALID_INCLUDE'],
    ['include=constructor', 'INVALID_INCLUDE'],
    ['include=last_event_callbacks.webhook.last_event_callbacks.webhook', 'INVALID_INCLUDE'],
    ['fields[webhooks]=name,secret', 'INVALID_FIELD'],
    ['fields[webhooks]=toString', 'INVALID_FIELD'],
    ['fields[orders]=number', 'INVALID_FIELD'],
    ['fields=name', 'PARAM_NOT_ALLOWED'],
  ])('is refused for %s', async (query, code) => {
    const { status, body } = await harness.ask(`webhooks?${query}`)
    expect(status).toBe(400)
    expect(body.errors[0]).toMatchObject({ code, status: '400' })
  })

  it.each(['customers', '', 'constructor', 'organizations', 'event_stores'])(
    'does not exist for the type %j',
    async (type) => {
      const { status, body } = await harness.ask(type)
      expect(status).toBe(404)
      expect(body.errors).toMatchObject({ code: 'RECORD_NOT_FOUND', status: 404 })
    },
  )
})

describe('a sorted list', () => {
  it('is in ascending order, or in descending order with a minus', async () => {
    expect(await listNames('sort=created_at,id&page[size]=2')).toEqual(['w00', 'w01'])
    expect(await listNames('sort=-created_at&page[size]=2')).toEqual(['w11', 'w10'])
  })

  it('has NULL last, or first in descending order, as in PostgreSQL', async () => {
    expect((await listNames('sort=reference&page[size]=25')).slice(0, 2)).toEqual(['w09', 'w08'])
    expect((await listNames('sort=reference,created_at&page[size]=25')).slice(-2)).toEqual(['w10', 'w11'])
    expect(await listNames('sort=-reference,created_at&page[size]=3')).toEqual(['w10', 'w11', 'w00'])
    expect((await listNames('sort=disabled_at'))[0]).toBe('w03')
  })

  it('is sorted by several attributes, and by creation where all are equal', async () => {
    expect(await listNames('sort=-circuit_failure_count,reference&page[size]=4')).toEqual(['w09', 'w05', 'w01', 'w08'])
    expect(await listNames('sort=circuit_state&page[size]=3')).toEqual(['w00', 'w01', 'w02'])
  })

  it.each([
    'id',
    'disabled_at',
    'circuit_state',
    'circuit_failure_count',
    'created_at',
    'updated_at',
    'reference',
    'reference_origin',
  ])('of webhooks can be sorted by %s', async (name) => {
    expect((await harness.ask(`webhooks?sort=${name},-${name}`)).status).toBe(200)
  })

  it.each(['id', 'response_code', 'response_message', 'created_at', 'updated_at', 'reference', 'reference_origin'])(
    'of event callbacks can be sorted by %s',
    async (name) => {
      const { body } = await harness.ask(`event_callbacks?sort=${name}&page[size]=25`)
      const values = body.data.map((one) => (name === 'id' ? one.id : one.attributes?.[name]))
      const known = values.filter((value) => value !== null)
      expect(values).toEqual([...known.sort(), ...values.filter((value) => value === null)])
    },
  )
})

describe('an included resource', () => {
  it('is written once, and linked from every resource that has it', async () => {
    const { body } = await harness.ask('event_callbacks?include=webhook&page[size]=25')
    expect(body.data.length).toBe(11)
    expect(new Set(body.included?.map(({ id }) => id))).toEqual(
      new Set(harness.emulator.eventCallbacks.map(({ webhook }) => webhook.id)),
    )
    expect(body.included?.map(({ type }) => type)).toEqual(new Array(11).fill('webhooks'))
    for (const { id, relationships } of body.data) {
      const webhook = harness.emulator.eventCallbacks.find((callback) => callback.id === id)?.webhook
      expect(relationships?.webhook?.data).toEqual({ type: 'webhooks', id: webhook?.id })
      expect(relationships?.event_stores).not.toHaveProperty('data')
    }
  })

  it('can be nested', async () => {
    const { body } = await harness.ask(
      'events?include=webhooks,last_event_callbacks.webhook&filter[q][name_eq]=orders.place',
    )
    expect(body.data[0]?.relationships?.webhooks?.data).toHaveLength(6)
    expect(body.data[0]?.relationships?.last_event_callbacks?.data).toHaveLength(6)
    expect(body.included?.filter(({ type }) => type === 'webhooks')).toHaveLength(6)
    const callbacks = body.included?.filter(({ type }) => type === 'event_callbacks')
    expect(callbacks?.map(({ relationships }) => relationships?.webhook?.data)).toEqual(
      expect.arrayContaining([{ type: 'webhooks', id: harness.emulator.webhooks[0]?.id }]),
    )
  })

  it('is absent for relationships that the emulator does not record', async () => {
    const { body } = await harness.ask('webhooks?include=versions,event_stores&page[size]=1')
    expect(body.data[0]?.relationships?.versions?.data).toEqual([])
    expect(body.data[0]?.relationships?.event_stores?.data).toEqual([])
    expect(body.data[0]?.attributes).not.toHaveProperty('versions')
  })

  it('is never made from metadata that looks like a resource', async () => {
    const metadata = { id: 'AbCdEfGhIj', type: 'webhooks' }
    const { id } = await harness.subscribe({ name: 'odd', topic: 'orders.void', callback_url: GONE, metadata })
    const { body } = await harness.ask(`webhooks/${id}`)
    expect(body.data.attributes?.metadata).toEqual(metadata)
    expect((await harness.ask(`webhooks/${id}`, { method: 'DELETE' })).status).toBe(204)
  })
})

describe('sparse fields', () => {
  it('limit the attributes and relationships of each type', async () => {
    const query = 'include=webhook&fields[event_callbacks]=response_code,webhook&fields[webhooks]=name&page[size]=1'
    const { body } = await harness.ask(`event_callbacks?${query}`)
    const [callback] = body.data
    expect(callback?.attributes).toEqual({ response_code: expect.any(String) })
    expect(Object.keys(callback?.relationships ?? {})).toEqual(['webhook'])
    expect(body.included?.[0]?.attributes).toEqual({ name: expect.any(String) })
    expect(body.included?.[0]?.relationships).toEqual({})
    expect(callback?.links).toEqual({ self: `${harness.emulator.url}/api/event_callbacks/${callback?.id}` })
  })

  it('may name event stores and versions, which are never there', async () => {
    const query = 'fields[event_stores]=event,payload&fields[versions]=changes&include=event_stores'
    expect((await harness.ask(`webhooks?${query}`)).status).toBe(200)
  })

  it('may be empty, or only the id', async () => {
    for (const fields of ['', 'id']) {
      const { body } = await harness.ask(`webhooks?fields[webhooks]=${fields}&page[size]=1`)
      expect(body.data[0]?.attributes).toEqual({})
      expect(body.data[0]?.id).toMatch(/^[A-Za-z]{10}$/)
    }
  })
})

describe('a related resource', () => {
  it('is a list with the same parameters as any other', async () => {
    const id = harness.emulator.webhooks[0]?.id
    const path = `webhooks/${id}/last_event_callbacks`
    const { body } = await harness.ask(`${path}?fields[event_callbacks]=response_code&filter[q][response_code_eq]=200`)
    expect(body.data.map(({ attributes }) => attributes)).toEqual([{ response_code: '200' }])
    expect(body.links?.first).toContain(`/api/${path}?`)
    expect((await harness.ask(`${path}?filter[q][response_code_eq]=404`)).body.data).toEqual([])
    expect((await harness.ask(`webhooks/${id}/versions`)).body).toMatchObject({ data: [], meta: { record_count: 0 } })
    expect((await harness.ask(`webhooks/${id}/event_stores/?sort=id`)).status).toBe(200)
  })

  it('is one resource for a relationship to one', async () => {
    const [callback] = harness.emulator.eventCallbacks
    const { body } = await harness.ask(`event_callbacks/${callback?.id}/webhook?fields[webhooks]=name`)
    expect(body.data).toMatchObject({ id: callback?.webhook.id, attributes: { name: callback?.webhook.name } })
  })

  it('can be read as identifiers', async () => {
    const [callback] = harness.emulator.eventCallbacks
    const path = `event_callbacks/${callback?.id}/relationships/webhook`
    expect((await harness.ask(path)).body).toEqual({
      links: {
        self: `${harness.emulator.url}/api/${path}`,
        related: `${harness.emulator.url}/api/event_callbacks/${callback?.id}/webhook`,
      },
      data: { type: 'webhooks', id: callback?.webhook.id },
    })
    const callbacks = `webhooks/${callback?.webhook.id}/relationships/last_event_callbacks`
    expect((await harness.ask(callbacks)).body.data).toEqual([{ type: 'event_callbacks', id: callback?.id }])
  })

  it('is not found for an unknown relationship or resource', async () => {
    const id = harness.emulator.webhooks[0]?.id
    const paths = [
      `webhooks/${id}/webhook`,
      `webhooks/${id}/constructor`,
      'webhooks/nobody/versions',
      `webhooks/${id}/a/b/c`,
    ]
    for (const path of [...paths, `webhooks/${id}/relationships/orders`]) {
      expect([path, (await harness.ask(path)).status]).toEqual([path, 404])
    }
  })
})
