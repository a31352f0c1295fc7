import { createReceiver, eventIdOf, type Receiver } from 'hooklayer'
import type { Emulator } from 'hooklayer/emulator'
import {
  createManagement,
  type Management,
  type RecoverOptions,
  type Recovery,
  RecoveryError,
  type RecoveryResult,
} from 'hooklayer/management'
import { sampleOf } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import { recordingLogger, rejection } from '../../deliveries.ts'
import { createQuietReceiver, startCommerceLayer, startEndpoint } from '../harness.ts'

const since = new Date(Date.now() - 60_000)

interface Shop {
  readonly emulator: Emulator
  readonly api: Management
  readonly url: string
  readonly receiver: Receiver
  /** The ids of the resources that the handler ran for, in order. */
  readonly handled: string[]
  isBroken: boolean
}

/** Starts a receiver of `customers.create` with a webhook. Its handler fails as long as `isBroken` is true. */
async function startShop(options: Parameters<typeof startCommerceLayer>[0] = {}): Promise<Shop> {
  const { emulator, api } = await startCommerceLayer({ retries: 0, maxEventCallbacks: 5_000, ...options })
  const { url, serve } = await startEndpoint()
  const made: Shop = {
    emulator,
    api,
    url,
    handled: [],
    isBroken: true,
    receiver: createQuietReceiver(api.secrets({ callbackUrl: url })).on('customers.create', ({ resource }) => {
      if (made.isBroken) throw new Error('broken')
      made.handled.push(resource.id)
    }),
  }
  serve(made.receiver)
  await api.webhooks.create({ topic: 'customers.create', callbackUrl: url })
  return made
}

/** A whole resource, which is the same event each time it is sent. */
const createCustomer = (id: string) => ({ ...sampleOf('customers'), id })

const createId = (number: number) => `customer${String(number).padStart(4, '0')}`

/** Triggers events whose deliveries fail, each in a millisecond of its own. The circuit stays closed. */
async function failDeliveries({ emulator, api }: Shop, ids: readonly string[]): Promise<void> {
  for (const [at, id] of ids.entries()) {
    await waitForNextMillisecond()
    await emulator.trigger('customers.create', createCustomer(id))
    await emulator.settled()
    if (at % 25 === 24) await api.webhooks.resetCircuit(emulator.webhooks[0]?.id ?? '')
  }
}

async function waitForNextMillisecond(): Promise<void> {
  const now = Date.now()
  while (Date.now() === now) await new Promise(setImmediate)
}

const createIds = (count: number) => Array.from({ length: count }, (_, number) => createId(number))

/** Recovers, and resolves to the summary and the result of each event. */
async function recover(
  { api, receiver }: Pick<Shop, 'api' | 'receiver'>,
  options: Partial<RecoverOptions> = {},
): Promise<{ recovery: Recovery; results: RecoveryResult[] }> {
  const results: RecoveryResult[] = []
  const recovery = await api.recover(receiver, {
    since,
    ...options,
    onResult(result) {
      results.push(result)
      options.onResult?.(result)
    },
  })
  return { recovery, results }
}

describe('of 1,000 events whose delivery failed, when 100 were delivered later', () => {
  it('recovers 900, each once, also when it is stopped halfway and continued', async () => {
    const shop = await startShop()
    await failDeliveries(shop, createIds(1_000))
    shop.isBroken = false
    const delivered = createIds(1_000).filter((_, number) => number % 10 === 3)
    for (const id of delivered) await shop.emulator.trigger('customers.create', createCustomer(id))
    shop.handled.length = 0

    const abort = new AbortController()
    const first = await recover(shop, {
      signal: abort.signal,
      onResult: () => shop.handled.length === 450 && abort.abort(),
    })
    expect(first.recovery).toMatchObject({ recovered: 450, alreadyDelivered: 50, failed: 0, complete: false })
    const after = JSON.parse(JSON.stringify(first.recovery.cursor))
    const second = await recover(shop, { after })
    expect(second.recovery).toMatchObject({ recovered: 450, alreadyDelivered: 50, failed: 0, complete: true })
    expect(shop.handled).toEqual(createIds(1_000).filter((id) => !delivered.includes(id)))
    expect([...first.results, ...second.results].map(({ resource }) => resource)).toEqual(
      createIds(1_000).map((id) => `customers/${id}`),
    )
    const again = await recover(shop, { after: second.recovery.cursor })
    expect(again).toMatchObject({ recovery: { recovered: 0, complete: true }, results: [] })
    expect(shop.handled).toHaveLength(900)
  }, 60_000)
})

it('reports each event once, with the id that a handler sees', async () => {
  const shop = await startShop({ retries: 2 })
  await failDeliveries(shop, createIds(2))
  shop.isBroken = false
  await shop.emulator.trigger('customers.create', createCustomer(createId(1)))
  const { recovery, results } = await recover(shop)
  /** By time and then by id, as they are listed: two may be of one millisecond. */
  const toSortable = ({ created_at, id }: { created_at: string; id: string }) => `${created_at} ${id}`
  const calls = shop.emulator.eventCallbacks.toSorted((a, b) => (toSortable(a) < toSortable(b) ? -1 : 1))
  const findFirst = (resourceId: string) => calls.find(({ payload }) => Object(payload.data).id === resourceId)
  const [first, second] = createIds(2).map(findFirst)
  expect(results).toEqual([
    {
      callbackId: first?.id,
      topic: 'customers.create',
      eventId: await eventIdOf('customers.create', first?.payload),
      resource: 'customers/customer0000',
      result: 'recovered',
    },
    {
      callbackId: second?.id,
      topic: 'customers.create',
      eventId: await eventIdOf('customers.create', second?.payload),
      resource: 'customers/customer0001',
      result: 'already-delivered',
    },
  ])
  expect(recovery).toEqual({
    recovered: 1,
    wouldRecover: 0,
    alreadyDelivered: 1,
    retriggered: 0,
    failed: 0,
    unhandled: 0,
    circuitsReset: 0,
    complete: true,
    cursor: { asOf: expect.any(String), last: expect.objectContaining({ id: expect.any(String) }), failed: [] },
  })
})

it('runs an event once that was sent many times, also when it is continued between two of its calls', async () => {
  const shop = await startShop()
  const order = [0, 1, 0, 2, 1, 0]
  await failDeliveries(shop, order.map(createId))
  shop.isBroken = false
  const abort = new AbortController()
  const first = await recover(shop, {
    signal: abort.signal,
    onResult: ({ resource }) => resource === `customers/${createId(1)}` && abort.abort(),
  })
  await recover(shop, { after: first.recovery.cursor })
  expect(shop.handled).toEqual([0, 1, 2].map(createId))
})

it('continues after an event that fails again, and retries that event when it is continued', async () => {
  const shop = await startShop()
  await failDeliveries(shop, createIds(4))
  shop.receiver.on('customers.create', ({ resource }) => {
    if (resource.id === createId(1) && isOdd) throw new Error(`nothing about ${resource.email} may be told`)
  })
  let isOdd = true
  shop.isBroken = false
  const { recovery, results } = await recover(shop)
  expect(recovery).toMatchObject({ recovered: 3, failed: 1, complete: true })
  expect(results.filter(({ result }) => result === 'failed')).toMatchObject([
    { resource: `customers/${createId(1)}`, error: 'HANDLER_FAILED: A handler failed.' },
  ])
  isOdd = false
  shop.handled.length = 0
  const again = await recover(shop, { after: JSON.parse(JSON.stringify(recovery.cursor)) })
  expect(again.recovery).toMatchObject({ recovered: 1, failed: 0, cursor: { failed: [] } })
  expect(shop.handled).toEqual([createId(1)])
})

it('only reports what it would do in a dry run, and returns a cursor that skips nothing', async () => {
  const shop = await startShop()
  await failDeliveries(shop, createIds(3))
  await shop.api.webhooks.disable(shop.emulator.webhooks[0]?.id ?? '')
  shop.isBroken = false
  const { recovery, results } = await recover(shop, { dryRun: true, resetCircuits: true, retrigger: true })
  expect(recovery).toMatchObject({ wouldRecover: 3, recovered: 0, circuitsReset: 0, complete: true })
  expect(results.map(({ result }) => result)).toEqual(['would-recover', 'would-recover', 'would-recover'])
  expect(shop.handled).toEqual([])
  await recover(shop, { after: recovery.cursor })
  expect(shop.handled).toEqual(createIds(3))
})

it('recovers calls without an answer after a minute, in order with the others', async () => {
  const shop = await startShop()
  const id = shop.emulator.webhooks[0]?.id ?? ''
  await failDeliveries(shop, [createId(0)])
  await shop.api.webhooks.update(id, { callbackUrl: 'http://127.0.0.1:9' })
  await failDeliveries(shop, [createId(1)])
  await shop.api.webhooks.update(id, { callbackUrl: shop.url })
  await failDeliveries(shop, [createId(2)])
  expect(shop.emulator.eventCallbacks.map(({ response_code }) => response_code)).toEqual(['500', null, '500'])
  shop.isBroken = false
  expect((await recover(shop, { dryRun: true })).recovery).toMatchObject({ wouldRecover: 2 })
  // As if the run began in two minutes.
  const asOf = new Date(Date.now() + 120_000).toISOString()
  await recover(shop, { after: { asOf, last: null, failed: [] } })
  expect(shop.handled).toEqual(createIds(3))
})

it('runs each of many events of the same millisecond once, also when it is stopped and continued among them', async () => {
  const shop = await startShop()
  await Promise.all(createIds(28).map((id) => shop.emulator.trigger('customers.create', { id })))
  const times = new Set(shop.emulator.eventCallbacks.map(({ created_at }) => created_at))
  expect(times.size).toBeLessThan(28)
  shop.isBroken = false
  let after: RecoverOptions['after']
  for (let complete = false; !complete; ) {
    const abort = new AbortController()
    const { recovery } = await recover(shop, { after, signal: abort.signal, onResult: () => abort.abort() })
    ;({ complete, cursor: after } = recovery)
  }
  expect(shop.handled).toHaveLength(28)
  expect(shop.handled.sort()).toEqual(createIds(28))
})

describe('it leaves alone', () => {
  it('topics without a handler', async () => {
    const shop = await startShop()
    await shop.api.webhooks.create({ topic: 'orders.place', callbackUrl: 'http://127.0.0.1:9', name: 'dead' })
    await failDeliveries(shop, createIds(1))
    const withoutHandler = createReceiver({ secrets: 'not used by this test', logger: recordingLogger().logger }).on(
      'orders.*',
      () => {},
    )
    expect(await recover({ ...shop, receiver: withoutHandler })).toMatchObject({
      recovery: { recovered: 0, failed: 0, unhandled: 1, complete: true },
      results: [],
    })
  })

  it('other endpoints, topics, webhooks and times than those in the options', async () => {
    const shop = await startShop()
    await failDeliveries(shop, createIds(1))
    shop.isBroken = false
    const [webhook] = shop.emulator.webhooks
    const elsewhere: Partial<RecoverOptions>[] = [
      { callbackUrl: `${shop.url}/` },
      { topic: 'customers.destroy' },
      { webhookId: 'xYZkjABcde' },
      { until: since },
      { since: new Date(Date.now() + 1_000) },
    ]
    for (const option of elsewhere) expect((await recover(shop, option)).recovery).toMatchObject({ complete: true })
    expect(shop.handled).toEqual([])
    await recover(shop, { callbackUrl: shop.url, topic: 'customers.create', webhookId: webhook?.id, until: new Date() })
    expect(shop.handled).toEqual(createIds(1))
  })

  it('no event that only another endpoint has acknowledged', async () => {
    const shop = await startShop()
    const { url } = await startEndpoint()
    await shop.api.webhooks.create({ topic: 'customers.create', callbackUrl: url, name: 'another' })
    await failDeliveries(shop, createIds(1))
    shop.isBroken = false
    expect((await recover(shop)).recovery).toMatchObject({ recovered: 1, alreadyDelivered: 0 })
  })
})

it('resets the open circuits of the webhooks that it looked at, with `resetCircuits`', async () => {
  const shop = await startShop({ retries: 29 })
  await shop.api.webhooks.create({ topic: 'orders.place', callbackUrl: 'http://127.0.0.1:9', name: 'dead' })
  await shop.emulator.trigger('customers.create', { id: createId(0) })
  await shop.emulator.trigger('orders.place')
  await shop.emulator.settled()
  const states = () => shop.emulator.webhooks.map(({ circuit_state }) => circuit_state)
  expect(states()).toEqual(['open', 'open'])
  shop.isBroken = false
  expect((await recover(shop)).recovery).toMatchObject({ recovered: 1, circuitsReset: 0 })
  expect(states()).toEqual(['open', 'open'])
  expect((await recover(shop, { resetCircuits: true })).recovery).toMatchObject({ circuitsReset: 1 })
  expect(states()).toEqual(['closed', 'open'])
})

describe('an event whose payload lacks what a handler includes', () => {
  /** Starts a shop whose handler has a new include, which the payloads of its events lack. */
  async function startIncompleteShop(): Promise<Shop & { readonly names: unknown[] }> {
    const shop = await startShop({ retries: 1 })
    shop.isBroken = false
    const names: unknown[] = []
    shop.receiver.on('customers.create', { include: ['customer_group'] }, ({ resource }) => {
      names.push(resource.customer_group.name)
    })
    const customer_group = {
      type: 'customer_groups' as const,
      id: 'groupgroup',
      name: 'VIP',
      created_at: '',
      updated_at: '',
    }
    for (const id of createIds(3)) {
      await waitForNextMillisecond()
      await shop.emulator.trigger('customers.create', {
        type: 'customers',
        id,
        email: 'ada@example.com',
        created_at: '2026-01-01T00:00:00.000Z',
        updated_at: '2026-01-01T00:00:00.000Z',
        customer_group,
      })
    }
    await shop.emulator.settled()
    return { ...shop, names }
  }

  it('fails, and none of its handlers runs', async () => {
    const shop = await startIncompleteShop()
    const { recovery, results } = await recover(shop)
    expect(recovery).toMatchObject({ failed: 3, retriggered: 0 })
    expect(results[0]?.error).toMatch(/^INCLUDE_MISSING: .*customer_group/)
    expect(shop.handled).toEqual([])
  })

  it('is triggered again, once, after the plan was applied', async () => {
    const shop = await startIncompleteShop()
    await shop.api.apply(await shop.api.plan(shop.receiver, { callbackUrl: shop.url }))
    const { recovery, results } = await recover(shop, { retrigger: true })
    await shop.emulator.settled()
    expect(recovery).toMatchObject({ retriggered: 3, failed: 0, complete: true, cursor: { failed: [] } })
    expect(results.map(({ resource, result, error }) => [resource, result, error])).toEqual(
      createIds(3).map((id) => [`customers/${id}`, 'retriggered', undefined]),
    )
    await expect.poll(() => shop.names).toEqual(['VIP', 'VIP', 'VIP'])
    const again = await recover(shop, { retrigger: true })
    expect(again.recovery).toMatchObject({ retriggered: 0, alreadyDelivered: 3, failed: 0 })
    await shop.emulator.settled()
    expect(shop.names).toHaveLength(3)
  })
})

it('has a cursor in its error when the API fails in the middle', async () => {
  const shop = await startShop()
  await failDeliveries(shop, createIds(60))
  shop.isBroken = false
  const failing = await rejection(
    recover(shop, { onResult: () => shop.handled.length === 30 && void shop.emulator.close() }),
  )
  expect(failing).toBeInstanceOf(RecoveryError)
  const { recovery, message } = failing as RecoveryError
  expect(recovery).toMatchObject({ complete: false, failed: 0 })
  expect(recovery.recovered).toBe(shop.handled.length)
  expect(message).toMatch(/^The recovery stopped: pass its cursor as `after` to continue\. /)
})

it('does not run an event again after `onResult` has thrown', async () => {
  const shop = await startShop()
  await failDeliveries(shop, createIds(3))
  shop.isBroken = false
  const onResult = () => {
    throw new Error('full disk')
  }
  const failing = await rejection(recover(shop, { onResult }))
  const { recovery } = failing as RecoveryError
  await recover(shop, { after: recovery.cursor })
  expect(shop.handled).toEqual(createIds(3))
})

it('can be aborted before it starts', async () => {
  const shop = await startShop()
  await failDeliveries(shop, createIds(1))
  const { recovery } = await recover(shop, { signal: AbortSignal.abort() })
  expect(recovery).toMatchObject({ recovered: 0, complete: false, cursor: { last: null } })
})

describe('before it sends a request, it refuses', () => {
  const api = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9' })

  it.each([
    ['a missing `since`', {}, 'recover: `since` is missing'],
    [
      'a time that is not one',
      { since, until: 'tomorrow' },
      'recover: `until` must be a Date, or a string with a date',
    ],
    ['a topic that is not one', { since, topic: 'orders' }, 'recover: `topic` must be a topic'],
    ['`dryRun` that is not a boolean', { since, dryRun: 'yes' }, 'recover: `dryRun` must be true or false'],
    [
      'a cursor that it did not return',
      { since, after: { asOf: since, last: 1, failed: [] } },
      'recover: `after.last`',
    ],
    ['a listener that is not a function', { since, onResult: 1 }, 'recover: `onResult` must be a function'],
    ['an unknown option', { since, before: since }, 'recover has no option `before`'],
  ])('%s', async (_, options, message) => {
    const refused = api.recover(createQuietReceiver(), options as never)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(message)
  })
})
