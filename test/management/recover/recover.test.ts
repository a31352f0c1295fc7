import { createReceiver, eventIdOf, type Receiver } from 'hooklayer'
import type { Emulator } from 'hooklayer/emulator'
import {
  createManagement,
  type Management,
  type RecoverOptions,
  type Recovery,
  RecoveryError,
  type RecoveryResult,
  secretsFrom,
} from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { recordingLogger, rejection } from '../../deliveries.ts'
import { endpoint, receiver, stage } from '../harness.ts'

const since = new Date(Date.now() - 60_000)

interface Shop {
  readonly emulator: Emulator
  readonly api: Management
  readonly url: string
  readonly receiver: Receiver
  /** The resources that a handler ran for, in that order. */
  readonly handled: string[]
  isBroken: boolean
}

/** A receiver of `customers.create` behind a webhook, whose handler fails as long as it is broken. */
async function shop(options: Parameters<typeof stage>[0] = {}): Promise<Shop> {
  const { emulator, api } = await stage({ retries: 0, maxEventCallbacks: 5_000, ...options })
  const { url, serve } = await endpoint()
  const made: Shop = {
    emulator,
    api,
    url,
    handled: [],
    isBroken: true,
    receiver: receiver(secretsFrom(api, { callbackUrl: url })).on('customers.create', ({ resource }) => {
      if (made.isBroken) throw new Error('broken')
      made.handled.push(resource.id)
    }),
  }
  serve(made.receiver)
  await api.webhooks.create({ topic: 'customers.create', callbackUrl: url })
  return made
}

const idOf = (number: number) => `customer${String(number).padStart(4, '0')}`

/** Events whose deliveries fail, each at a time of its own; the circuit stays closed. */
async function fail({ emulator, api }: Shop, ids: readonly string[]): Promise<void> {
  for (const [at, id] of ids.entries()) {
    await nextMillisecond()
    await emulator.trigger('customers.create', { id })
    await emulator.settled()
    if (at % 25 === 24) await api.webhooks.resetCircuit(emulator.webhooks[0]?.id ?? '')
  }
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now()
  while (Date.now() === now) await new Promise(setImmediate)
}

const ids = (count: number) => Array.from({ length: count }, (_, number) => idOf(number))

/** A recovery, and what it said. */
async function recovered(
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

describe('of 1,000 failed calls whose events were delivered since in 100 cases', () => {
  it('900 are run, each once, also when it is stopped half-way and resumed', async () => {
    const one = await shop()
    await fail(one, ids(1_000))
    one.isBroken = false
    const delivered = ids(1_000).filter((_, number) => number % 10 === 3)
    for (const id of delivered) await one.emulator.trigger('customers.create', { id })
    one.handled.length = 0

    const abort = new AbortController()
    const first = await recovered(one, {
      signal: abort.signal,
      onResult: () => one.handled.length === 450 && abort.abort(),
    })
    expect(first.recovery).toMatchObject({ recovered: 450, alreadyDelivered: 50, failed: 0, complete: false })
    const after = JSON.parse(JSON.stringify(first.recovery.cursor))
    const second = await recovered(one, { after })
    expect(second.recovery).toMatchObject({ recovered: 450, alreadyDelivered: 50, failed: 0, complete: true })
    expect(one.handled).toEqual(ids(1_000).filter((id) => !delivered.includes(id)))
    expect([...first.results, ...second.results].map(({ resource }) => resource)).toEqual(
      ids(1_000).map((id) => `customers/${id}`),
    )
    const again = await recovered(one, { after: second.recovery.cursor })
    expect(again).toMatchObject({ recovery: { recovered: 0, complete: true }, results: [] })
    expect(one.handled).toHaveLength(900)
  }, 60_000)
})

it('reports a line an event, with the id that a handler sees', async () => {
  const one = await shop({ retries: 2 })
  await fail(one, ids(2))
  one.isBroken = false
  await one.emulator.trigger('customers.create', { id: idOf(1) })
  const { recovery, results } = await recovered(one)
  const [first, , , second] = one.emulator.eventCallbacks
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

it('runs an event once that was fired many times, also when it is resumed between two of its calls', async () => {
  const one = await shop()
  const order = [0, 1, 0, 2, 1, 0]
  await fail(one, order.map(idOf))
  one.isBroken = false
  const abort = new AbortController()
  const first = await recovered(one, {
    signal: abort.signal,
    onResult: ({ resource }) => resource === `customers/${idOf(1)}` && abort.abort(),
  })
  await recovered(one, { after: first.recovery.cursor })
  expect(one.handled).toEqual([0, 1, 2].map(idOf))
})

it('goes on after a handler that fails again, and tries that again when it is resumed', async () => {
  const one = await shop()
  await fail(one, ids(4))
  one.receiver.on('customers.create', ({ resource }) => {
    if (resource.id === idOf(1) && isOdd) throw new Error(`nothing about ${resource.email} may be told`)
  })
  let isOdd = true
  one.isBroken = false
  const { recovery, results } = await recovered(one)
  expect(recovery).toMatchObject({ recovered: 3, failed: 1, complete: true })
  expect(results.filter(({ result }) => result === 'failed')).toMatchObject([
    { resource: `customers/${idOf(1)}`, error: 'HANDLER_FAILED: A handler failed.' },
  ])
  isOdd = false
  one.handled.length = 0
  const again = await recovered(one, { after: JSON.parse(JSON.stringify(recovery.cursor)) })
  expect(again.recovery).toMatchObject({ recovered: 1, failed: 0, cursor: { failed: [] } })
  expect(one.handled).toEqual([idOf(1)])
})

it('does nothing in a dry run but say what it would do, and its cursor passes nothing', async () => {
  const one = await shop()
  await fail(one, ids(3))
  await one.api.webhooks.disable(one.emulator.webhooks[0]?.id ?? '')
  one.isBroken = false
  const { recovery, results } = await recovered(one, { dryRun: true, resetCircuits: true, retrigger: true })
  expect(recovery).toMatchObject({ wouldRecover: 3, recovered: 0, circuitsReset: 0, complete: true })
  expect(results.map(({ result }) => result)).toEqual(['would-recover', 'would-recover', 'would-recover'])
  expect(one.handled).toEqual([])
  await recovered(one, { after: recovery.cursor })
  expect(one.handled).toEqual(ids(3))
})

it('recovers calls that got no answer, once that is certain, among the others in their order', async () => {
  const one = await shop()
  const id = one.emulator.webhooks[0]?.id ?? ''
  await fail(one, [idOf(0)])
  await one.api.webhooks.update(id, { callbackUrl: 'http://127.0.0.1:9' })
  await fail(one, [idOf(1)])
  await one.api.webhooks.update(id, { callbackUrl: one.url })
  await fail(one, [idOf(2)])
  expect(one.emulator.eventCallbacks.map(({ response_code }) => response_code)).toEqual(['500', null, '500'])
  one.isBroken = false
  expect((await recovered(one, { dryRun: true })).recovery).toMatchObject({ wouldRecover: 2 })
  // As a run that begins in two minutes will see it.
  const asOf = new Date(Date.now() + 120_000).toISOString()
  await recovered(one, { after: { asOf, last: null, failed: [] } })
  expect(one.handled).toEqual(ids(3))
})

it('runs each of many events of one moment once, also when it is stopped and resumed among them', async () => {
  const one = await shop()
  await Promise.all(ids(28).map((id) => one.emulator.trigger('customers.create', { id })))
  const moments = new Set(one.emulator.eventCallbacks.map(({ created_at }) => created_at))
  expect(moments.size).toBeLessThan(28)
  one.isBroken = false
  let after: RecoverOptions['after']
  for (let complete = false; !complete; ) {
    const abort = new AbortController()
    const { recovery } = await recovered(one, { after, signal: abort.signal, onResult: () => abort.abort() })
    ;({ complete, cursor: after } = recovery)
  }
  expect(one.handled).toHaveLength(28)
  expect(one.handled.sort()).toEqual(ids(28))
})

describe('it leaves alone', () => {
  it('topics that no handler listens to', async () => {
    const one = await shop()
    await one.api.webhooks.create({ topic: 'orders.place', callbackUrl: 'http://127.0.0.1:9', name: 'dead' })
    await fail(one, ids(1))
    const deaf = createReceiver({ secrets: 'none', logger: recordingLogger().logger }).on('orders.*', () => {})
    expect(await recovered({ ...one, receiver: deaf })).toMatchObject({
      recovery: { recovered: 0, failed: 0, unhandled: 1, complete: true },
      results: [],
    })
  })

  it('other endpoints, topics, webhooks and times than those asked for', async () => {
    const one = await shop()
    await fail(one, ids(1))
    one.isBroken = false
    const [webhook] = one.emulator.webhooks
    const elsewhere: Partial<RecoverOptions>[] = [
      { callbackUrl: `${one.url}/` },
      { topic: 'customers.destroy' },
      { webhookId: 'xYZkjABcde' },
      { until: since },
      { since: new Date(Date.now() + 1_000) },
    ]
    for (const option of elsewhere) expect((await recovered(one, option)).recovery).toMatchObject({ complete: true })
    expect(one.handled).toEqual([])
    await recovered(one, { callbackUrl: one.url, topic: 'customers.create', webhookId: webhook?.id, until: new Date() })
    expect(one.handled).toEqual(ids(1))
  })

  it('no event only because another endpoint has acknowledged it', async () => {
    const one = await shop()
    const { url } = await endpoint()
    await one.api.webhooks.create({ topic: 'customers.create', callbackUrl: url, name: 'another' })
    await fail(one, ids(1))
    one.isBroken = false
    expect((await recovered(one)).recovery).toMatchObject({ recovered: 1, alreadyDelivered: 0 })
  })
})

it('closes the open circuits of the webhooks concerned afterwards, if asked to', async () => {
  const one = await shop({ retries: 29 })
  await one.api.webhooks.create({ topic: 'orders.place', callbackUrl: 'http://127.0.0.1:9', name: 'dead' })
  await one.emulator.trigger('customers.create', { id: idOf(0) })
  await one.emulator.trigger('orders.place')
  await one.emulator.settled()
  const states = () => one.emulator.webhooks.map(({ circuit_state }) => circuit_state)
  expect(states()).toEqual(['open', 'open'])
  one.isBroken = false
  expect((await recovered(one)).recovery).toMatchObject({ recovered: 1, circuitsReset: 0 })
  expect(states()).toEqual(['open', 'open'])
  expect((await recovered(one, { resetCircuits: true })).recovery).toMatchObject({ circuitsReset: 1 })
  expect(states()).toEqual(['closed', 'open'])
})

describe('an event whose payload lacks what a handler includes', () => {
  /** A handler that came with an include, and so has failed since. */
  async function lacking(options = {}): Promise<Shop & { readonly names: unknown[] }> {
    const one = await shop({ retries: 1, ...options })
    one.isBroken = false
    const names: unknown[] = []
    one.receiver.on('customers.create', { include: ['customer_group'] }, ({ resource }) => {
      names.push(resource.customer_group.name)
    })
    const customer_group = {
      type: 'customer_groups' as const,
      id: 'groupgroup',
      name: 'VIP',
      created_at: '',
      updated_at: '',
    }
    for (const id of ids(3)) {
      await nextMillisecond()
      await one.emulator.trigger('customers.create', {
        type: 'customers',
        id,
        email: 'ada@example.com',
        created_at: '2026-01-01T00:00:00.000Z',
        updated_at: '2026-01-01T00:00:00.000Z',
        customer_group,
      })
    }
    await one.emulator.settled()
    return { ...one, names }
  }

  it('fails, and the handlers of the payload do not run', async () => {
    const one = await lacking()
    const { recovery, results } = await recovered(one)
    expect(recovery).toMatchObject({ failed: 3, retriggered: 0 })
    expect(results[0]?.error).toMatch(/^INCLUDE_MISSING: .*customer_group/)
    expect(one.handled).toEqual([])
  })

  it('is triggered again, once, after the plan was applied', async () => {
    const one = await lacking()
    await one.api.apply(await one.api.plan(one.receiver, { callbackUrl: one.url }))
    const { recovery, results } = await recovered(one, { retrigger: true })
    await one.emulator.settled()
    expect(recovery).toMatchObject({ retriggered: 3, failed: 0, complete: true, cursor: { failed: [] } })
    expect(results.map(({ resource, result, error }) => [resource, result, error])).toEqual(
      ids(3).map((id) => [`customers/${id}`, 'retriggered', undefined]),
    )
    await expect.poll(() => one.names).toEqual(['VIP', 'VIP', 'VIP'])
    const again = await recovered(one, { retrigger: true })
    expect(again.recovery).toMatchObject({ retriggered: 0, alreadyDelivered: 3, failed: 0 })
    await one.emulator.settled()
    expect(one.names).toHaveLength(3)
  })

  it('fails if its event is not to be found', async () => {
    const one = await lacking({ maxEventCallbacks: 6 })
    // The emulator keeps as many events as calls.
    for (let count = 0; count < 6; count++) await one.emulator.trigger('orders.place')
    const { recovery, results } = await recovered(one, { retrigger: true })
    expect(recovery).toMatchObject({ retriggered: 0, failed: 3, complete: true })
    expect(results[0]?.error).toMatch(/^INCLUDE_MISSING: .* Its event was not found, to be triggered again\.$/)
  })
})

it('says where to go on when the API fails in the middle', async () => {
  const one = await shop()
  await fail(one, ids(60))
  one.isBroken = false
  const failing = await rejection(
    recovered(one, { onResult: () => one.handled.length === 30 && void one.emulator.close() }),
  )
  expect(failing).toBeInstanceOf(RecoveryError)
  const { recovery, message } = failing as RecoveryError
  expect(recovery).toMatchObject({ complete: false, failed: 0 })
  expect(recovery.recovered).toBe(one.handled.length)
  expect(message).toMatch(/^The recovery stopped: hand its cursor back as `after` to go on\. /)
})

it('does not run again what was recovered when whoever is told throws', async () => {
  const one = await shop()
  await fail(one, ids(3))
  one.isBroken = false
  const onResult = () => {
    throw new Error('full disk')
  }
  const failing = await rejection(recovered(one, { onResult }))
  const { recovery } = failing as RecoveryError
  await recovered(one, { after: recovery.cursor })
  expect(one.handled).toEqual(ids(3))
})

it('can be aborted before it begins', async () => {
  const one = await shop()
  await fail(one, ids(1))
  const { recovery } = await recovered(one, { signal: AbortSignal.abort() })
  expect(recovery).toMatchObject({ recovered: 0, complete: false, cursor: { last: null } })
})

describe('before it asks anything, it refuses', () => {
  const api = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9' })

  it.each([
    ['no beginning', {}, 'since is missing'],
    ['a time that is none', { since, until: 'tomorrow' }, 'until is not a Date'],
    ['a topic that is none', { since, topic: 'orders' }, 'topic is not a topic'],
    ['a dry run that may be', { since, dryRun: 'yes' }, 'dryRun is not true or false'],
    ['a cursor that it has not made', { since, after: { asOf: since, last: 1, failed: [] } }, 'after last'],
    ['a listener that is no function', { since, onResult: 1 }, 'onResult is not a function'],
    ['an option that it does not have', { since, before: since }, 'before is not an argument'],
  ])('%s', async (_, options, message) => {
    const refused = api.recover(receiver(), options as never)
    await expect(refused).rejects.toThrow(TypeError)
    await expect(refused).rejects.toThrow(`recover: ${message}`)
  })
})
