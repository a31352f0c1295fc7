import { inspect } from 'node:util'
import { createManagement, type Management, secretsFrom } from 'hooklayer/management'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { delivery } from '../../deliveries.ts'
import { endpoint, receiver, stage } from '../harness.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const callbackUrl = 'https://shop.example/webhooks'
const dead = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9', retries: 0 })

/** The clock that the secrets go by; everything else keeps its own. */
function clock(): (ms: number) => void {
  let now = 1_000
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  return (ms) => {
    now += ms
  }
}

/** An API that can go down and come up, and counts how often all webhooks were read. */
function counted(api: Management) {
  const state = { reads: 0, isDown: false }
  const webhooks: Management['webhooks'] = {
    ...api.webhooks,
    list(options) {
      state.reads++
      return (state.isDown ? dead : api).webhooks.list(options)
    },
  }
  return { state, webhooks }
}

/** The answer to a delivery that was signed with a secret. */
async function answer(shop: ReturnType<typeof receiver>, topic: string, secret: string): Promise<number> {
  const { status } = await shop.receive(
    delivery(topic, { data: { id: 'NrlYhpzLKA', type: topic.split('.')[0] } }, secret),
  )
  return status
}

it('verifies deliveries with the secrets of the webhooks of its URL, by topic', async () => {
  const { api, emulator } = await stage()
  const events: string[] = []
  const { url, serve } = await endpoint()
  const shop = receiver(secretsFrom(api, { callbackUrl: url })).on('*', ({ topic }) => events.push(topic))
  serve(shop)
  await api.webhooks.create({ topic: 'orders.place', callbackUrl: url })
  for (const name of ['one', 'two']) await api.webhooks.create({ topic: 'orders.pay', callbackUrl: url, name })
  const other = await api.webhooks.create({ topic: 'orders.place', callbackUrl, name: 'other', disabled: true })
  await emulator.trigger('orders.place')
  await emulator.trigger('orders.pay')
  expect(events).toEqual(['orders.place', 'orders.pay', 'orders.pay'])

  const [place, pay] = emulator.webhooks.map(({ shared_secret }) => shared_secret)
  expect(await answer(shop, 'orders.place', pay ?? '')).toBe(401)
  expect(await answer(shop, 'orders.pay', place ?? '')).toBe(401)
  expect(await answer(shop, 'orders.place', other.shared_secret)).toBe(401)
})

describe('it reads the webhooks', () => {
  it('once, however many first deliveries come at the same time', async () => {
    const { api } = await stage()
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const { state, webhooks } = counted(api)
    const shop = receiver(secretsFrom({ webhooks }, { callbackUrl }))
    expect(state.reads).toBe(0)
    const answers = await Promise.all(Array.from({ length: 50 }, () => answer(shop, 'orders.place', shared_secret)))
    expect(new Set(answers)).toEqual(new Set([200]))
    expect(state.reads).toBe(1)
  })

  it('once more for a webhook that was made or made anew, and the delivery that brought it up is verified', async () => {
    const { api } = await stage()
    const { state, webhooks } = counted(api)
    const pass = clock()
    const shop = receiver(secretsFrom({ webhooks }, { callbackUrl }))
    expect(await answer(shop, 'orders.place', 'forged')).toBe(401)
    const one = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    pass(60_000)
    const together = Array.from({ length: 20 }, () => answer(shop, 'orders.place', one.shared_secret))
    expect(new Set(await Promise.all(together))).toEqual(new Set([200]))
    expect(state.reads).toBe(3)
    await api.webhooks.delete(one.id)
    const two = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    pass(60_000)
    expect(await answer(shop, 'orders.place', two.shared_secret)).toBe(200)
    expect(await answer(shop, 'orders.place', one.shared_secret)).toBe(401)
    expect(state.reads).toBe(4)
  })

  it('at most once a minute, however many forgeries come', async () => {
    const { api } = await stage()
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const { state, webhooks } = counted(api)
    const pass = clock()
    const shop = receiver(secretsFrom({ webhooks }, { callbackUrl }))
    await answer(shop, 'orders.place', shared_secret)
    const forge = () =>
      Promise.all(
        Array.from({ length: 500 }, (_, at) => answer(shop, at % 2 ? 'orders.place' : `orders.forged_${at}`, 'forged')),
      )
    expect(new Set(await forge())).toEqual(new Set([401]))
    expect(state.reads).toBe(2)
    pass(59_999)
    await forge()
    expect(state.reads).toBe(2)
    pass(1)
    await forge()
    await forge()
    expect(state.reads).toBe(3)
  })

  it('anew after `refreshMs`, while those that it knows serve', async () => {
    const { api } = await stage()
    const { id, shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const { state, webhooks } = counted(api)
    const pass = clock()
    const secrets = secretsFrom({ webhooks }, { callbackUrl, refreshMs: 5_000 })
    expect(await secrets('orders.place')).toEqual([shared_secret])
    await api.webhooks.delete(id)
    pass(4_999)
    expect(await secrets('orders.place')).toEqual([shared_secret])
    expect(state.reads).toBe(1)
    pass(1)
    expect(await secrets('orders.place')).toEqual([shared_secret])
    await vi.waitFor(async () => expect(await secrets('orders.place')).toBeUndefined())
    expect(state.reads).toBe(2)
  })
})

describe('when the API is down', () => {
  it('what is known serves, and it is asked at most once a second', async () => {
    const { api } = await stage()
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const { state, webhooks } = counted(api)
    const pass = clock()
    const shop = receiver(secretsFrom({ webhooks }, { callbackUrl, refreshMs: 5_000 }))
    const deliver = () => answer(shop, 'orders.place', shared_secret)
    expect(await deliver()).toBe(200)
    state.isDown = true
    pass(5_000)
    const deliveries = () => Promise.all(Array.from({ length: 50 }, deliver))
    for (let turn = 0; turn < 20; turn++) expect(new Set(await deliveries())).toEqual(new Set([200]))
    expect(state.reads).toBe(2)
    pass(1_000)
    for (let turn = 0; turn < 20; turn++) await deliveries()
    expect(state.reads).toBe(3)
  })

  it('from the start, deliveries are to be fired again, and one a second asks it', async () => {
    const { api } = await stage()
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const { state, webhooks } = counted(api)
    const pass = clock()
    const shop = receiver(secretsFrom({ webhooks }, { callbackUrl }))
    const deliver = () => answer(shop, 'orders.place', shared_secret)
    state.isDown = true
    expect(await Promise.all([deliver(), deliver(), deliver()])).toEqual([503, 503, 503])
    expect(await deliver()).toBe(503)
    expect(state.reads).toBe(1)
    state.isDown = false
    pass(999)
    expect(await deliver()).toBe(503)
    pass(1)
    expect(await deliver()).toBe(200)
    expect(state.reads).toBe(2)
  })
})

it('shows no secret', async () => {
  const { api } = await stage()
  const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
  const secrets = secretsFrom(api, { callbackUrl })
  expect(await secrets('orders.place')).toEqual([shared_secret])
  expect(inspect(secrets, { depth: Infinity, showHidden: true })).not.toContain(shared_secret)
})

describe('it refuses', () => {
  it.each([
    ['no URL', {}, 'callbackUrl is missing'],
    ['a URL that is not https', { callbackUrl: 'http://shop.example' }, 'callbackUrl must start with https://'],
    ['a time that is none', { callbackUrl, refreshMs: Number.NaN }, 'refreshMs is not a number'],
    ['no time at all', { callbackUrl, refreshMs: 0 }, 'refreshMs is not over 0'],
    ['an option that it does not have', { callbackUrl, topic: 'orders.place' }, 'topic is not an argument'],
  ])('%s', (_, options, message) => {
    const make = () => secretsFrom(dead, options as never)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(`secretsFrom: ${message}`)
  })
})
