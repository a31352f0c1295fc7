import { ApplyError, createManagement, type PlanStep } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect, createQuietReceiver, startCommerceLayer, startEndpoint } from '../harness.ts'

const callbackUrl = 'https://shop.example/webhooks'
const ours = { callbackUrl, referenceOrigin: 'hooklayer' }
const nothing = () => {}

it('changes the webhooks as planned, and a second plan has nothing to do', async () => {
  const { api } = await startCommerceLayer()
  await api.webhooks.create({ topic: 'orders.void', ...ours, includeResources: ['customer'], disabled: true })
  await api.webhooks.create({ topic: 'orders.pay', callbackUrl, includeResources: ['customer'] })
  await api.webhooks.create({ topic: 'orders.cancel', ...ours })
  const shop = createQuietReceiver().on(['orders.place', 'orders.pay', 'orders.void'], { include: ['market'] }, nothing)
  const done: PlanStep[] = []
  await api.apply(await api.plan(shop, { callbackUrl }), { onStep: (step) => done.push(step) })
  expect(done.map(({ action, topic }) => `${action} ${topic}`)).toEqual([
    'update orders.pay',
    'create orders.place',
    'update orders.void',
    'enable orders.void',
    'delete orders.cancel',
  ])
  const made = await collect(api.webhooks.list())
  expect(made.map(({ topic, include_resources, disabled_at }) => [topic, include_resources, disabled_at])).toEqual([
    ['orders.void', ['market'], null],
    ['orders.pay', ['customer', 'market'], null],
    ['orders.place', ['market'], null],
  ])
  expect(made.at(-1)).toMatchObject({
    name: `orders.place ${callbackUrl}`,
    callback_url: callbackUrl,
    reference_origin: 'hooklayer',
  })
  const again = await api.plan(shop, { callbackUrl })
  expect(again.steps.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep'])
  await api.apply(again)
  expect(await collect(api.webhooks.list())).toEqual(made)
})

it('returns the secrets that a receiver needs, also of kept webhooks and of several webhooks of a topic', async () => {
  const { api, emulator } = await startCommerceLayer()
  const events: string[] = []
  const { url, serve } = await startEndpoint()
  const draft = createQuietReceiver().on(['orders.place', 'orders.pay', 'customers.create'], nothing)
  for (const name of ['one', 'two']) await api.webhooks.create({ topic: 'orders.pay', callbackUrl: url, name })
  await api.webhooks.create({ topic: 'orders.void', callbackUrl: url })

  const secrets = await api.apply(await api.plan(draft, { callbackUrl: url }))
  serve(createQuietReceiver(secrets).on('*', ({ topic }) => events.push(topic)))
  for (const topic of ['orders.place', 'orders.pay', 'orders.void', 'customers.create']) await emulator.trigger(topic)
  expect(events.sort()).toEqual(['customers.create', 'orders.pay', 'orders.pay', 'orders.place', 'orders.void'])
  expect(Object.keys(secrets).sort()).toEqual(['customers.create', 'orders.pay', 'orders.place', 'orders.void'])
  expect(secrets['orders.pay']).toHaveLength(2)
  expect(secrets['orders.place']).toMatch(/^[0-9a-f]{32}$/)
})

it('creates nothing twice and deletes nothing twice when the same plan is applied again', async () => {
  const { api } = await startCommerceLayer()
  await api.webhooks.create({ topic: 'orders.pay', ...ours })
  const made = await api.plan(createQuietReceiver().on('orders.place', nothing), { callbackUrl })
  expect(made.steps.map(({ action }) => action)).toEqual(['create', 'delete'])
  const secrets = await api.apply(made)
  expect(await api.apply(JSON.parse(JSON.stringify(made)))).toEqual(secrets)
  expect(await collect(api.webhooks.list())).toHaveLength(1)
})

it('deletes last, whatever the order of the plan, and stops at the step that fails', async () => {
  const { api } = await startCommerceLayer()
  const old = await api.webhooks.create({ topic: 'orders.pay', ...ours })
  const shop = createQuietReceiver().on(['orders.place', 'orders.fly', 'customers.create'], nothing)
  const { steps, ...rest } = await api.plan(shop, { callbackUrl })
  const error = await rejection(api.apply({ ...rest, steps: [...steps].reverse() }))
  expect(error).toBeInstanceOf(ApplyError)
  expect(error).toMatchObject({
    step: { action: 'create', topic: 'orders.fly' },
    message: expect.stringMatching(/^Could not create the webhook for orders\.fly\. /),
    cause: { status: 422 },
  })
  expect((await collect(api.webhooks.list())).map(({ topic }) => topic)).toEqual(['orders.pay', 'orders.place'])

  const fixed = createQuietReceiver().on(['orders.place', 'customers.create'], nothing)
  const repaired = await api.plan(fixed, { callbackUrl })
  expect(repaired.steps.map(({ action, topic }) => `${action} ${topic}`)).toEqual([
    'create customers.create',
    'keep orders.place',
    'delete orders.pay',
  ])
  await api.apply(repaired)
  await expect(api.webhooks.retrieve(old.id)).rejects.toMatchObject({ code: 'RECORD_NOT_FOUND' })
})

it('does not delete what hooklayer did not create, whatever the plan says', async () => {
  const { api } = await startCommerceLayer()
  const { id } = await api.webhooks.create({ topic: 'orders.pay', callbackUrl })
  const steps = [{ action: 'delete', topic: 'orders.pay', webhookId: id, reason: '' }] as const
  await expect(api.apply({ callbackUrl, steps, notes: [] })).rejects.toThrow('hooklayer did not create it.')
  expect(await api.webhooks.retrieve(id)).toMatchObject({ id })
})

it('throws the reason of an aborted signal, keeps the steps that were done, and can be completed', async () => {
  const { api } = await startCommerceLayer()
  const shop = createQuietReceiver().on(['orders.pay', 'orders.place', 'orders.void'], nothing)
  const abort = new AbortController()
  const stopped = api.apply(await api.plan(shop, { callbackUrl }), {
    signal: abort.signal,
    onStep: () => abort.abort(new Error('enough')),
  })
  await expect(stopped).rejects.toThrow('enough')
  expect(await collect(api.webhooks.list())).toHaveLength(1)
  await api.apply(await api.plan(shop, { callbackUrl }))
  expect(await collect(api.webhooks.list())).toHaveLength(3)
})

describe('before it sends a request, it refuses', () => {
  const api = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9' })
  const step = { action: 'keep', topic: 'orders.pay', webhookId: 'xYZkjABcde', reason: '' }

  it.each([
    ['what is not a plan', undefined, {}, 'apply: plan'],
    ['a plan without steps', { callbackUrl }, {}, 'apply: plan: `steps` is missing'],
    [
      'a step that it cannot do',
      { callbackUrl, steps: [{ ...step, action: 'explode' }] },
      {},
      'apply: plan: `steps.0.action`',
    ],
    [
      'a URL that is not https',
      { callbackUrl: 'http://a.example', steps: [step] },
      {},
      'apply: plan: `callbackUrl` must',
    ],
    ['a listener that is not a function', { callbackUrl, steps: [step] }, { onStep: 1 }, '`onStep` must be a function'],
  ])('%s', async (_, given, options, message) => {
    const refused = api.apply(given as never, options as never)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(message)
  })
})
