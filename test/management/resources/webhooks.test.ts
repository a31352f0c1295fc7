import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect, startCommerceLayer, startEndpoint } from '../harness.ts'

const URL_OF_SHOP = 'https://shop.example/webhooks'

describe('webhooks', () => {
  it('are created with every argument', async () => {
    const { api, emulator } = await startCommerceLayer()
    const webhook = await api.webhooks.create({
      topic: 'orders.place',
      callbackUrl: URL_OF_SHOP,
      name: 'orders for the shop',
      includeResources: ['customer', 'line_items.item'],
      reference: 'ref',
      referenceOrigin: 'hooklayer',
      metadata: { team: 'é' },
      disabled: true,
    })
    expect(webhook).toMatchObject({
      type: 'webhooks',
      topic: 'orders.place',
      callback_url: URL_OF_SHOP,
      name: 'orders for the shop',
      include_resources: ['customer', 'line_items.item'],
      reference: 'ref',
      reference_origin: 'hooklayer',
      metadata: { team: 'é' },
      disabled_at: expect.stringMatching(/^20/),
      circuit_state: 'closed',
      shared_secret: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
    expect(emulator.webhooks).toMatchObject([{ id: webhook.id, shared_secret: webhook.shared_secret }])
  })

  it('are created with the required arguments only', async () => {
    const { api } = await startCommerceLayer()
    expect(await api.webhooks.create({ topic: 'orders.place', callbackUrl: URL_OF_SHOP })).toMatchObject({
      name: 'shop-orders.place',
      disabled_at: null,
      include_resources: null,
    })
  })

  it('are not created twice with the same name', async () => {
    const { api, emulator } = await startCommerceLayer()
    const args = { topic: 'orders.place', callbackUrl: URL_OF_SHOP, name: 'the one' }
    await api.webhooks.create(args)
    expect(await rejection(api.webhooks.create(args))).toMatchObject({
      name: 'ManagementError',
      pointer: '/data/attributes/name',
    })
    expect(emulator.webhooks).toHaveLength(1)
  })

  it('are listed in the order of their creation, over several pages', async () => {
    const { api } = await startCommerceLayer()
    const created: string[] = []
    for (let number = 0; number < 60; number++) {
      const webhook = await api.webhooks.create({
        topic: 'orders.place',
        callbackUrl: URL_OF_SHOP,
        name: `number ${number}`,
      })
      created.push(webhook.id)
    }
    const listed = await collect(api.webhooks.list())
    expect(listed.map(({ id }) => id).sort()).toEqual(created.sort())
    const times = listed.map(({ created_at }) => created_at)
    expect(times).toEqual([...times].sort())
  })

  it('are updated in the given members only', async () => {
    const { api } = await startCommerceLayer()
    const { webhooks } = api
    const webhook = await webhooks.create({
      topic: 'orders.place',
      callbackUrl: URL_OF_SHOP,
      includeResources: ['customer'],
      reference: 'ref',
    })
    const changed = await webhooks.update(webhook.id, { includeResources: [], name: 'renamed', disabled: true })
    expect(changed).toMatchObject({
      ...webhook,
      name: 'renamed',
      include_resources: [],
      updated_at: expect.any(String),
      disabled_at: expect.any(String),
    })
    expect(await webhooks.update(webhook.id, { disabled: false, topic: 'orders.approve' })).toMatchObject({
      topic: 'orders.approve',
      disabled_at: null,
    })
    expect(await webhooks.retrieve(webhook.id)).toMatchObject({ name: 'renamed', topic: 'orders.approve' })
  })

  it('are disabled and enabled', async () => {
    const { api } = await startCommerceLayer()
    const { webhooks } = api
    const { id } = await webhooks.create({ topic: 'orders.place', callbackUrl: URL_OF_SHOP })
    expect((await webhooks.disable(id)).disabled_at).toMatch(/^20/)
    expect((await webhooks.enable(id)).disabled_at).toBeNull()
  })

  it('are called again once their circuit is reset', async () => {
    const { api, emulator } = await startCommerceLayer({ retries: 0 })
    const { answer, url: callbackUrl } = await startEndpoint()
    const { webhooks } = api
    const { id } = await webhooks.create({ topic: 'customers.create', callbackUrl })
    answer(500)
    for (let count = 0; count < 30; count++) await emulator.trigger('customers.create')
    expect(await webhooks.retrieve(id)).toMatchObject({ circuit_state: 'open', circuit_failure_count: 30 })
    expect(await emulator.trigger('customers.create')).toEqual([])
    expect(await webhooks.resetCircuit(id)).toMatchObject({ circuit_state: 'closed', circuit_failure_count: 0 })
    expect(await emulator.trigger('customers.create')).toHaveLength(1)
  })

  it('are deleted', async () => {
    const { api, emulator } = await startCommerceLayer()
    const { webhooks } = api
    const { id } = await webhooks.create({ topic: 'orders.place', callbackUrl: URL_OF_SHOP })
    expect(await webhooks.delete(id)).toBeUndefined()
    expect(emulator.webhooks).toEqual([])
    for (const call of [webhooks.delete(id), webhooks.retrieve(id), webhooks.update(id, {}), webhooks.enable(id)]) {
      expect(await rejection(call)).toMatchObject({ code: 'RECORD_NOT_FOUND', status: 404 })
    }
  })
})

describe('a client', () => {
  it('gets a new token when its token expires', async () => {
    const { api } = await startCommerceLayer({ tokenLifetimeMs: 150 })
    const begin = performance.now()
    while (performance.now() - begin < 400) expect(await collect(api.webhooks.list())).toEqual([])
  })

  it('with wrong credentials gets an error that says so', async () => {
    const { emulator } = await startCommerceLayer()
    const { createManagement } = await import('hooklayer/management')
    const { url, organization, clientId } = emulator
    const { webhooks } = createManagement({ url, organization, clientId, clientSecret: 'another' })
    expect(await rejection(collect(webhooks.list()))).toMatchObject({ code: 'CREDENTIALS_REFUSED', status: 401 })
  })
})
