import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GONE, type Stage, startEndpoint, startStage } from '../harness.ts'

let stage: Stage
let endpoint: Awaited<ReturnType<typeof startEndpoint>>

/** Twelve webhooks: w00, w02 … of `orders.place` answer 200, the others are of other topics; w03 is disabled. */
beforeAll(async () => {
  endpoint = await startEndpoint()
  stage = await startStage({ retries: 0 })
  for (let n = 0; n < 12; n++) {
    await stage.subscribe({
      name: `w${String(n).padStart(2, '0')}`,
      topic: n % 2 === 0 ? 'orders.place' : 'customers.create',
      callback_url: n % 4 === 1 ? GONE : `${endpoint.url}/${200 + n}`,
      reference: n < 10 ? String(9 - n) : null,
      ...(n === 3 && { _disable: true }),
    })
  }
  await stage.emulator.trigger('orders.place')
  await stage.emulator.trigger('customers.create')
})
afterAll(async () => {
  await stage.emulator.close()
  await endpoint.close()
})

async function namesOf(query: string): Promise<unknown[]> {
  const { body } = await stage.ask(`webhooks?${query}`)
  return body.data.map(({ attributes }) => attributes?.name)
}

describe('a list', () => {
  it('has ten to a page, in the order of their making, and says how many there are', async () => {
    const { status, body } = await stage.ask('webhooks')
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
    expect(body.links).toEqual({
      first: '/api/webhooks?page%5Bnumber%5D=1&page%5Bsize%5D=10',
      next: '/api/webhooks?page%5Bnumber%5D=2&page%5Bsize%5D=10',
      last: '/api/webhooks?page%5Bnumber%5D=2&page%5Bsize%5D=10',
    })
  })

  it('can be walked by its links, which keep what was asked', async () => {
    const names: unknown[] = []
    let path: string | undefined = '/api/webhooks?sort=-id&filter[q][name_start]=w&page[size]=5&fields[webhooks]=name'
    const prev: unknown[] = []
    while (path) {
      const { body } = await stage.ask(path.replace('/api/', ''))
      names.push(...body.data.map(({ attributes }) => attributes?.name))
      prev.push(body.links?.prev)
      path = body.links?.next
    }
    expect(names).toHaveLength(12)
    expect(new Set(names).size).toBe(12)
    expect(prev[0]).toBeUndefined()
    expect(prev[2]).toContain('page%5Bnumber%5D=2')
  })

  it('is empty beyond its last page, and links back to it', async () => {
    const { body } = await stage.ask('webhooks?page[number]=9')
    expect(body.data).toEqual([])
    expect(body.links?.prev).toContain('page%5Bnumber%5D=2')
    expect(body.links).not.toHaveProperty('next')
  })

  it('of nothing has one page', async () => {
    const { body } = await stage.ask('webhooks?filter[q][name_eq]=nobody')
    expect(body).toMatchObject({ data: [], meta: { record_count: 0, page_count: 1 } })
  })

  it('has up to 25 to a page', async () => {
    expect((await stage.ask('webhooks?page[size]=25')).body.data).toHaveLength(12)
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
    const { status, body } = await stage.ask(`webhooks?${query}`)
    expect(status).toBe(400)
    expect(body.errors[0]).toMatchObject({ code, status: '400' })
  })

  it.each(['orders', '', 'constructor', 'organizations', 'event_stores'])('of %j is not there', async (type) => {
    const { status, body } = await stage.ask(type)
    expect(status).toBe(404)
    expect(body.errors[0]?.code).toBe('RECORD_NOT_FOUND')
  })
})

describe('a sorted list', () => {
  it('is ascending, or descending with a minus', async () => {
    expect(await namesOf('sort=created_at,id&page[size]=2')).toEqual(['w00', 'w01'])
    expect(await namesOf('sort=-created_at&page[size]=2')).toEqual(['w11', 'w10'])
  })

  it('has NULL last, and first when it is descending, as PostgreSQL has it', async () => {
    expect((await namesOf('sort=reference&page[size]=25')).slice(0, 2)).toEqual(['w09', 'w08'])
    expect((await namesOf('sort=reference,created_at&page[size]=25')).slice(-2)).toEqual(['w10', 'w11'])
    expect(await namesOf('sort=-reference,created_at&page[size]=3')).toEqual(['w10', 'w11', 'w00'])
    expect((await namesOf('sort=disabled_at'))[0]).toBe('w03')
  })

  it('goes by one attribute after the other, and by their making where all are alike', async () => {
    expect(await namesOf('sort=-circuit_failure_count,reference&page[size]=4')).toEqual(['w09', 'w05', 'w01', 'w08'])
    expect(await namesOf('sort=circuit_state&page[size]=3')).toEqual(['w00', 'w01', 'w02'])
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
  ])('of webhooks goes by %s', async (name) => {
    expect((await stage.ask(`webhooks?sort=${name},-${name}`)).status).toBe(200)
  })

  it.each(['id', 'response_code', 'response_message', 'created_at', 'updated_at', 'reference', 'reference_origin'])(
    'of event callbacks goes by %s',
    async (name) => {
      const { body } = await stage.ask(`event_callbacks?sort=${name}&page[size]=25`)
      const values = body.data.map((one) => (name === 'id' ? one.id : one.attributes?.[name]))
      const known = values.filter((value) => value !== null)
      expect(values).toEqual([...known.sort(), ...values.filter((value) => value === null)])
    },
  )
})

describe('what is included', () => {
  it('comes once, and is linked from every resource that has it', async () => {
    const { body } = await stage.ask('event_callbacks?include=webhook&page[size]=25')
    expect(body.data.length).toBe(11)
    expect(new Set(body.included?.map(({ id }) => id))).toEqual(
      new Set(stage.emulator.eventCallbacks.map(({ webhook }) => webhook.id)),
    )
    expect(body.included?.map(({ type }) => type)).toEqual(new Array(11).fill('webhooks'))
    for (const { id, relationships } of body.data) {
      const webhook = stage.emulator.eventCallbacks.find((callback) => callback.id === id)?.webhook
      expect(relationships?.webhook?.data).toEqual({ type: 'webhooks', id: webhook?.id })
      expect(relationships?.event_stores).not.toHaveProperty('data')
    }
  })

  it('can be nested', async () => {
    const { body } = await stage.ask(
      'events?include=webhooks,last_event_callbacks.webhook&filter[q][name_eq]=orders.place',
    )
    expect(body.data[0]?.relationships?.webhooks?.data).toHaveLength(6)
    expect(body.data[0]?.relationships?.last_event_callbacks?.data).toHaveLength(6)
    expect(body.included?.filter(({ type }) => type === 'webhooks')).toHaveLength(6)
    const callbacks = body.included?.filter(({ type }) => type === 'event_callbacks')
    expect(callbacks?.map(({ relationships }) => relationships?.webhook?.data)).toEqual(
      expect.arrayContaining([{ type: 'webhooks', id: stage.emulator.webhooks[0]?.id }]),
    )
  })

  it('is empty for what the emulator does not keep', async () => {
    const { body } = await stage.ask('webhooks?include=versions,event_stores&page[size]=1')
    expect(body.data[0]?.relationships?.versions?.data).toEqual([])
    expect(body.data[0]?.relationships?.event_stores?.data).toEqual([])
    expect(body.data[0]?.attributes).not.toHaveProperty('versions')
  })

  it('is no attribute, whatever the metadata of a resource looks like', async () => {
    const metadata = { id: 'AbCdEfGhIj', type: 'webhooks' }
    const { id } = await stage.subscribe({ name: 'odd', topic: 'orders.void', callback_url: GONE, metadata })
    const { body } = await stage.ask(`webhooks/${id}`)
    expect(body.data.attributes?.metadata).toEqual(metadata)
    expect((await stage.ask(`webhooks/${id}`, { method: 'DELETE' })).status).toBe(204)
  })
})

describe('sparse fields', () => {
  it('are all that a resource has, of each type', async () => {
    const query = 'include=webhook&fields[event_callbacks]=response_code,webhook&fields[webhooks]=name&page[size]=1'
    const { body } = await stage.ask(`event_callbacks?${query}`)
    const [callback] = body.data
    expect(callback?.attributes).toEqual({ response_code: expect.any(String) })
    expect(Object.keys(callback?.relationships ?? {})).toEqual(['webhook'])
    expect(body.included?.[0]?.attributes).toEqual({ name: expect.any(String) })
    expect(body.included?.[0]?.relationships).toEqual({})
    expect(callback?.links).toEqual({ self: `/api/event_callbacks/${callback?.id}` })
  })

  it('may be none, or the id', async () => {
    for (const fields of ['', 'id']) {
      const { body } = await stage.ask(`webhooks?fields[webhooks]=${fields}&page[size]=1`)
      expect(body.data[0]?.attributes).toEqual({})
      expect(body.data[0]?.id).toMatch(/^[A-Za-z]{10}$/)
    }
  })
})

describe('what is related', () => {
  it('is a list that can be asked as any other', async () => {
    const id = stage.emulator.webhooks[0]?.id
    const path = `webhooks/${id}/last_event_callbacks`
    const { body } = await stage.ask(`${path}?fields[event_callbacks]=response_code&filter[q][response_code_eq]=200`)
    expect(body.data.map(({ attributes }) => attributes)).toEqual([{ response_code: '200' }])
    expect(body.links?.first).toContain(`/api/${path}?`)
    expect((await stage.ask(`${path}?filter[q][response_code_eq]=404`)).body.data).toEqual([])
    expect((await stage.ask(`webhooks/${id}/versions`)).body).toMatchObject({ data: [], meta: { record_count: 0 } })
    expect((await stage.ask(`webhooks/${id}/event_stores?sort=id`)).status).toBe(400)
  })

  it('is one resource where there is one', async () => {
    const [callback] = stage.emulator.eventCallbacks
    const { body } = await stage.ask(`event_callbacks/${callback?.id}/webhook?fields[webhooks]=name`)
    expect(body.data).toMatchObject({ id: callback?.webhook.id, attributes: { name: callback?.webhook.name } })
  })

  it('can be had as identifiers', async () => {
    const [callback] = stage.emulator.eventCallbacks
    const path = `event_callbacks/${callback?.id}/relationships/webhook`
    expect((await stage.ask(path)).body).toEqual({
      links: { self: `/api/${path}`, related: `/api/event_callbacks/${callback?.id}/webhook` },
      data: { type: 'webhooks', id: callback?.webhook.id },
    })
    const callbacks = `webhooks/${callback?.webhook.id}/relationships/last_event_callbacks`
    expect((await stage.ask(callbacks)).body.data).toEqual([{ type: 'event_callbacks', id: callback?.id }])
  })

  it('is not there under another name, nor of another resource', async () => {
    const id = stage.emulator.webhooks[0]?.id
    const paths = [
      `webhooks/${id}/webhook`,
      `webhooks/${id}/constructor`,
      'webhooks/nobody/versions',
      `webhooks/${id}/a/b/c`,
    ]
    for (const path of [...paths, `webhooks/${id}/relationships/orders`]) {
      expect([path, (await stage.ask(path)).status]).toEqual([path, 404])
    }
  })
})
