import { inspect } from 'node:util'
import { createManagement, describePlan } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { listed, receiver, stage } from '../harness.ts'

const callbackUrl = 'https://shop.example/webhooks'
const ours = { callbackUrl, referenceOrigin: 'hooklayer' }
const nothing = () => {}

describe('a plan creates a webhook', () => {
  it('for each topic that a handler names, with what all of its handlers include', async () => {
    const { api } = await stage()
    const shop = receiver()
      .on('orders.place', { include: ['line_items.item?', 'customer'] }, nothing)
      .on(['orders.place', 'customers.create'], { include: ['customer_group?'] }, nothing)
      .on('orders.*', { include: ['market'] }, nothing)
      .on('*', { include: ['tags'] }, nothing)
    const { steps } = await api.plan(shop, { callbackUrl })
    expect(steps.find(({ topic }) => topic === 'orders.place')).toEqual({
      action: 'create',
      topic: 'orders.place',
      name: 'orders.place https://shop.example/webhooks',
      includeResources: ['customer', 'customer_group', 'line_items.item', 'market', 'tags'],
      reason: 'No webhook subscribes to it.',
    })
    expect(steps.find(({ topic }) => topic === 'customers.create')).toMatchObject({
      includeResources: ['customer_group', 'tags'],
    })
  })

  it('for each topic that the catalogue has for a resource, and includes nothing in what is destroyed', async () => {
    const { api } = await stage()
    const shop = receiver().on('order_copies.*', { include: ['source_order'] }, nothing)
    const { steps } = await api.plan(shop, { callbackUrl })
    expect(steps.map((step) => [step.action, step.topic, 'includeResources' in step && step.includeResources])).toEqual(
      [
        ['create', 'order_copies.complete', ['source_order']],
        ['create', 'order_copies.create', ['source_order']],
        ['create', 'order_copies.destroy', []],
        ['create', 'order_copies.fail', ['source_order']],
        ['create', 'order_copies.start', ['source_order']],
      ],
    )
  })

  it('for no topic that only `*` hears of, and says so', async () => {
    const { api } = await stage()
    const shop = receiver().on('*', nothing).on('gizmos.*', nothing)
    expect(await api.plan(shop, { callbackUrl })).toEqual({
      callbackUrl,
      steps: [],
      notes: [
        'No handler names a topic, so there is nothing to subscribe to.',
        '`*` subscribes to nothing by itself: a webhook must name its topic.',
        '`gizmos.*` subscribes to nothing: the catalogue has no such resource.',
      ],
    })
  })

  it('under a name that is free', async () => {
    const { api } = await stage()
    const name = `orders.place ${callbackUrl}`
    await api.webhooks.create({ topic: 'orders.place', callbackUrl: 'https://moved.example', name })
    const { steps } = await api.plan(receiver().on('orders.place', nothing), { callbackUrl })
    expect(steps).toMatchObject([{ action: 'create', name: `${name} 2` }])
  })
})

describe('a plan uses a webhook that somebody else made', () => {
  it('and gives it what it lacks, but takes nothing from it', async () => {
    const { api } = await stage()
    const { id } = await api.webhooks.create({
      topic: 'orders.place',
      callbackUrl,
      includeResources: ['shipping_address', 'customer'],
    })
    const shop = receiver().on('orders.place', { include: ['market', 'customer'] }, nothing)
    expect((await api.plan(shop, { callbackUrl })).steps).toEqual([
      {
        action: 'update',
        topic: 'orders.place',
        webhookId: id,
        includeResources: ['shipping_address', 'customer', 'market'],
        reason: 'It lacks market.',
      },
    ])
  })

  it('and keeps what has all that it needs', async () => {
    const { api } = await stage()
    const { id } = await api.webhooks.create({ topic: 'orders.destroy', callbackUrl, includeResources: ['customer'] })
    const shop = receiver().on('orders.destroy', { include: ['market'] }, nothing)
    const { steps } = await api.plan(shop, { callbackUrl })
    expect(steps).toEqual([
      { action: 'keep', topic: 'orders.destroy', webhookId: id, reason: 'It is as it should be.' },
    ])
  })

  it('in the place of its own, and never deletes it', async () => {
    const { api } = await stage()
    const mine = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'mine' })
    const theirs = await api.webhooks.create({ topic: 'orders.place', callbackUrl, name: 'theirs' })
    const doubled = await api.webhooks.create({ topic: 'orders.place', callbackUrl, name: 'doubled' })
    const unheard = await api.webhooks.create({ topic: 'orders.pay', callbackUrl })
    const { steps, notes } = await api.plan(receiver().on('orders.place', nothing), { callbackUrl })
    expect(steps.map((step) => [step.action, 'webhookId' in step && step.webhookId, step.reason])).toEqual([
      ['keep', unheard.id, 'No handler listens to it, but hooklayer did not make it.'],
      ['keep', theirs.id, 'It is as it should be.'],
      ['keep', doubled.id, 'It is as it should be.'],
      ['delete', mine.id, 'Another webhook serves the topic.'],
    ])
    expect(notes).toEqual(['orders.place has 2 webhooks that hooklayer did not make: each event comes as many times.'])
  })

  it('and enables it only if there is no other', async () => {
    const { api } = await stage()
    const disabled = await api.webhooks.create({ topic: 'orders.place', callbackUrl, disabled: true })
    const shop = receiver().on('orders.place', nothing)
    expect((await api.plan(shop, { callbackUrl })).steps).toMatchObject([{ action: 'enable', webhookId: disabled.id }])
    const mine = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'mine' })
    expect((await api.plan(shop, { callbackUrl })).steps).toMatchObject([
      { action: 'keep', webhookId: mine.id, reason: 'It is as it should be.' },
      { action: 'keep', webhookId: disabled.id, reason: 'It is disabled, but hooklayer did not make it.' },
    ])
  })

  it('of a topic that only `*` hears of: it needs its includes, too', async () => {
    const { api } = await stage()
    const { id } = await api.webhooks.create({ topic: 'orders.pay', callbackUrl })
    await api.webhooks.create({ topic: 'orders.void', callbackUrl, disabled: true })
    const mine = await api.webhooks.create({ topic: 'orders.place', ...ours })
    const shop = receiver().on('*', { include: ['market'] }, nothing)
    expect((await api.plan(shop, { callbackUrl })).steps).toMatchObject([
      { action: 'update', webhookId: id, includeResources: ['market'] },
      { action: 'keep', topic: 'orders.void' },
      { action: 'delete', webhookId: mine.id },
    ])
  })
})

describe('a plan makes a webhook of its own', () => {
  it('include exactly what handlers need, enabled and with a closed circuit', async () => {
    const { api, emulator } = await stage({ retries: 29 })
    const { id } = await api.webhooks.create({
      topic: 'orders.place',
      callbackUrl: 'http://127.0.0.1:9',
      referenceOrigin: 'hooklayer',
      includeResources: ['market', 'customer'],
    })
    await emulator.trigger('orders.place')
    await emulator.settled()
    await api.webhooks.disable(id)
    const shop = receiver().on('orders.place', { include: ['customer', 'line_items'] }, nothing)
    const { steps } = await api.plan(shop, { callbackUrl: 'http://127.0.0.1:9' })
    expect(steps).toEqual([
      {
        action: 'update',
        topic: 'orders.place',
        webhookId: id,
        includeResources: ['customer', 'line_items'],
        reason: 'It lacks line_items. No handler needs market.',
      },
      { action: 'enable', topic: 'orders.place', webhookId: id, reason: 'It is disabled.' },
      { action: 'reset', topic: 'orders.place', webhookId: id, reason: 'Its circuit is open: nothing is delivered.' },
    ])
  })

  it('go when no handler names its topic, or when another has it', async () => {
    const { api } = await stage()
    const disabled = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'one', disabled: true })
    const kept = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'two' })
    const unheard = await api.webhooks.create({ topic: 'customers.create', ...ours })
    const { steps } = await api.plan(receiver().on('orders.place', nothing), { callbackUrl })
    expect(steps).toEqual([
      { action: 'keep', topic: 'orders.place', webhookId: kept.id, reason: 'It is as it should be.' },
      { action: 'delete', topic: 'customers.create', webhookId: unheard.id, reason: 'No handler names the topic.' },
      { action: 'delete', topic: 'orders.place', webhookId: disabled.id, reason: 'Another webhook serves the topic.' },
    ])
  })
})

it('leaves the webhooks of other URLs alone, however alike', async () => {
  const { api } = await stage()
  for (const other of [`${callbackUrl}/`, `${callbackUrl}?a=b`, 'https://SHOP.example/webhooks']) {
    await api.webhooks.create({ topic: 'orders.pay', callbackUrl: other, referenceOrigin: 'hooklayer', name: other })
  }
  const { steps } = await api.plan(receiver().on('orders.place', nothing), { callbackUrl })
  expect(steps).toMatchObject([{ action: 'create', topic: 'orders.place' }])
})

it('is plain data that says what it does in a line a step, and holds no secret', async () => {
  const { api } = await stage()
  const { id } = await api.webhooks.create({ topic: 'orders.pay', ...ours })
  const shop = receiver()
    .on('orders.pay', { include: ['market', 'customer?'] }, nothing)
    .on('customers.create', nothing)
    .on('*', nothing)
  const made = await api.plan(shop, { callbackUrl })
  expect(JSON.parse(JSON.stringify(made))).toEqual(made)
  expect(describePlan(made).split('\n')).toEqual([
    'create  customers.create  No webhook subscribes to it. Includes: nothing.',
    `update  orders.pay        ${id}  It lacks customer, market. Includes: customer, market.`,
    'note    `*` subscribes to nothing by itself: a webhook must name its topic.',
  ])
  const secrets = (await listed(api.webhooks.list())).map(({ shared_secret }) => shared_secret)
  for (const secret of secrets) expect(inspect(made, { depth: Infinity, showHidden: true })).not.toContain(secret)
})

describe('before it asks anything, a plan refuses', () => {
  const api = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9' })

  it.each([
    ['no URL', {}, 'callbackUrl is missing'],
    ['what is no URL', { callbackUrl: '/webhooks' }, 'callbackUrl is not a URL'],
    ['a URL that is not https', { callbackUrl: 'http://shop.example' }, 'callbackUrl must start with https://'],
    ['what is no signal', { callbackUrl, signal: {} }, 'signal is not an AbortSignal'],
    ['an option that it does not have', { callbackUrl, url: callbackUrl }, 'url is not an argument'],
  ])('%s', async (_, options, message) => {
    const refused = api.plan(receiver(), options as never)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(`plan: ${message}`)
  })
})
