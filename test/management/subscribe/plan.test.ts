import { inspect } from 'node:util'
import type { Webhook } from '@commercelayer/sdk'
import { createManagement, describePlan } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { planServing } from '../../../src/management/subscribe/plan-steps.ts'
import { collect, createQuietReceiver, startCommerceLayer } from '../harness.ts'

const callbackUrl = 'https://shop.example/webhooks'
const ours = { callbackUrl, referenceOrigin: 'hooklayer' }
const nothing = () => {}

describe('a plan creates a webhook', () => {
  it('for each topic that a handler names, with what all of its handlers include', async () => {
    const { api } = await startCommerceLayer()
    const shop = createQuietReceiver()
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

  it('for each topic that the catalog has for a resource, and includes nothing for `destroy`', async () => {
    const { api } = await startCommerceLayer()
    const shop = createQuietReceiver().on('order_copies.*', { include: ['source_order'] }, nothing)
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

  it('for no topic that only `*` matches, and says so', async () => {
    const { api } = await startCommerceLayer()
    const shop = createQuietReceiver().on('*', nothing).on('gizmos.*', nothing)
    expect(await api.plan(shop, { callbackUrl })).toEqual({
      callbackUrl,
      steps: [],
      notes: [
        'No handler names a topic, so there is nothing to subscribe to.',
        '`*` subscribes to nothing by itself: a webhook must name its topic.',
        '`gizmos.*` subscribes to nothing: the catalog has no such resource.',
      ],
    })
  })

  it('with a name that is not taken', async () => {
    const { api } = await startCommerceLayer()
    const name = `orders.place ${callbackUrl}`
    await api.webhooks.create({ topic: 'orders.place', callbackUrl: 'https://moved.example', name })
    const { steps } = await api.plan(createQuietReceiver().on('orders.place', nothing), { callbackUrl })
    expect(steps).toMatchObject([{ action: 'create', name: `${name} 2` }])
  })
})

describe('a plan uses a webhook that somebody else created', () => {
  it('and adds missing includes, but removes none', async () => {
    const { api } = await startCommerceLayer()
    const { id } = await api.webhooks.create({
      topic: 'orders.place',
      callbackUrl,
      includeResources: ['shipping_address', 'customer'],
    })
    const shop = createQuietReceiver().on('orders.place', { include: ['market', 'customer'] }, nothing)
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

  it('and takes the empty include that the dashboard saves for none', () => {
    const webhook = { id: 'xYZkjABcde', topic: 'orders.place', include_resources: [''] } as Webhook
    expect(planServing(webhook, [])).toMatchObject([{ action: 'keep' }])
    expect(planServing(webhook, ['customer'])).toMatchObject([{ action: 'update', includeResources: ['customer'] }])
    expect(planServing({ ...webhook, reference_origin: 'hooklayer' }, [])).toMatchObject([{ action: 'keep' }])
  })

  it('and keeps one that has all that it needs', async () => {
    const { api } = await startCommerceLayer()
    const { id } = await api.webhooks.create({ topic: 'orders.destroy', callbackUrl, includeResources: ['customer'] })
    const shop = createQuietReceiver().on('orders.destroy', { include: ['market'] }, nothing)
    const { steps } = await api.plan(shop, { callbackUrl })
    expect(steps).toEqual([{ action: 'keep', topic: 'orders.destroy', webhookId: id, reason: 'It needs no change.' }])
  })

  it('instead of its own, and never deletes it', async () => {
    const { api } = await startCommerceLayer()
    const mine = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'mine' })
    const theirs = await api.webhooks.create({ topic: 'orders.place', callbackUrl, name: 'theirs' })
    const doubled = await api.webhooks.create({ topic: 'orders.place', callbackUrl, name: 'doubled' })
    const unhandled = await api.webhooks.create({ topic: 'orders.pay', callbackUrl })
    const { steps, notes } = await api.plan(createQuietReceiver().on('orders.place', nothing), { callbackUrl })
    expect(steps.map((step) => [step.action, 'webhookId' in step && step.webhookId, step.reason])).toEqual([
      ['keep', unhandled.id, 'No handler listens to it. hooklayer did not create it.'],
      ['keep', theirs.id, 'It needs no change.'],
      ['keep', doubled.id, 'It needs no change.'],
      ['delete', mine.id, 'Another webhook serves the topic.'],
    ])
    expect(notes).toEqual([
      'orders.place has 2 webhooks that hooklayer did not create: each event is delivered 2 times.',
    ])
  })

  it('and enables it only if the topic has no other', async () => {
    const { api } = await startCommerceLayer()
    const disabled = await api.webhooks.create({ topic: 'orders.place', callbackUrl, disabled: true })
    const shop = createQuietReceiver().on('orders.place', nothing)
    expect((await api.plan(shop, { callbackUrl })).steps).toMatchObject([{ action: 'enable', webhookId: disabled.id }])
    const mine = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'mine' })
    expect((await api.plan(shop, { callbackUrl })).steps).toMatchObject([
      { action: 'keep', webhookId: mine.id, reason: 'It needs no change.' },
      { action: 'keep', webhookId: disabled.id, reason: 'It is disabled. hooklayer did not create it.' },
    ])
  })

  it('of a topic that only `*` matches, and adds its includes', async () => {
    const { api } = await startCommerceLayer()
    const { id } = await api.webhooks.create({ topic: 'orders.pay', callbackUrl })
    await api.webhooks.create({ topic: 'orders.void', callbackUrl, disabled: true })
    const mine = await api.webhooks.create({ topic: 'orders.place', ...ours })
    const shop = createQuietReceiver().on('*', { include: ['market'] }, nothing)
    expect((await api.plan(shop, { callbackUrl })).steps).toMatchObject([
      { action: 'update', webhookId: id, includeResources: ['market'] },
      { action: 'keep', topic: 'orders.void' },
      { action: 'delete', webhookId: mine.id },
    ])
  })
})

describe('a plan changes a webhook that hooklayer created', () => {
  it('to include exactly what handlers need, enabled and with a closed circuit', async () => {
    const { api, emulator } = await startCommerceLayer({ retries: 29 })
    const { id } = await api.webhooks.create({
      topic: 'orders.place',
      callbackUrl: 'http://127.0.0.1:9',
      referenceOrigin: 'hooklayer',
      includeResources: ['market', 'customer'],
    })
    await emulator.trigger('orders.place')
    await emulator.settled()
    await api.webhooks.disable(id)
    const shop = createQuietReceiver().on('orders.place', { include: ['customer', 'line_items'] }, nothing)
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

  it('and deletes it when no handler names its topic, or when another webhook serves the topic', async () => {
    const { api } = await startCommerceLayer()
    const disabled = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'one', disabled: true })
    const kept = await api.webhooks.create({ topic: 'orders.place', ...ours, name: 'two' })
    const unhandled = await api.webhooks.create({ topic: 'customers.create', ...ours })
    const { steps } = await api.plan(createQuietReceiver().on('orders.place', nothing), { callbackUrl })
    expect(steps).toEqual([
      { action: 'keep', topic: 'orders.place', webhookId: kept.id, reason: 'It needs no change.' },
      { action: 'delete', topic: 'customers.create', webhookId: unhandled.id, reason: 'No handler names the topic.' },
      { action: 'delete', topic: 'orders.place', webhookId: disabled.id, reason: 'Another webhook serves the topic.' },
    ])
  })
})

it('ignores the webhooks of other URLs, however similar', async () => {
  const { api } = await startCommerceLayer()
  for (const other of [`${callbackUrl}/`, `${callbackUrl}?a=b`, 'https://SHOP.example/webhooks']) {
    await api.webhooks.create({ topic: 'orders.pay', callbackUrl: other, referenceOrigin: 'hooklayer', name: other })
  }
  const { steps } = await api.plan(createQuietReceiver().on('orders.place', nothing), { callbackUrl })
  expect(steps).toMatchObject([{ action: 'create', topic: 'orders.place' }])
})

it('is plain data, described in one line for each step, and holds no secret', async () => {
  const { api } = await startCommerceLayer()
  const { id } = await api.webhooks.create({ topic: 'orders.pay', ...ours })
  const shop = createQuietReceiver()
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
  const secrets = (await collect(api.webhooks.list())).map(({ shared_secret }) => shared_secret)
  for (const secret of secrets) expect(inspect(made, { depth: Infinity, showHidden: true })).not.toContain(secret)
})

describe('before it sends a request, a plan refuses', () => {
  const api = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9' })

  it.each([
    ['a missing URL', {}, 'plan: `callbackUrl` is missing'],
    ['what is not a URL', { callbackUrl: '/webhooks' }, 'plan: `callbackUrl` must be a URL'],
    ['a URL that is not https', { callbackUrl: 'http://shop.example' }, 'plan: `callbackUrl` must start with https://'],
    ['what is not a signal', { callbackUrl, signal: {} }, 'plan: `signal` must be an AbortSignal'],
    ['an unknown option', { callbackUrl, url: callbackUrl }, 'plan has no option `url`'],
  ])('%s', async (_, options, message) => {
    const refused = api.plan(createQuietReceiver(), options as never)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(message)
  })
})
