import { text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { createReceiver, type Receiver } from 'hooklayer'
import type { Emulator } from 'hooklayer/emulator'
import { createManagement, type Management } from 'hooklayer/management'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { listen } from '../../contracts/adapter/listen.ts'
import { delivery, recordingLogger } from '../../deliveries.ts'
import { waitFor } from '../../wait-for.ts'
import { connect, createQuietReceiver, startCommerceLayer, startEndpoint } from '../harness.ts'
import { grantToken, startScriptedApi, WEBHOOK } from '../scripted-api.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const callbackUrl = 'https://shop.example/webhooks'

/** Stops the clock that the secrets use, and returns a function that advances it. Everything else keeps its own. */
function stopClock(): (ms: number) => void {
  let now = 1_000
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  return (ms) => {
    now += ms
  }
}

/** Puts a proxy before the API, which counts how often the webhooks are read, and can fail to list them. */
async function startProxy(emulator: Emulator): Promise<{ state: { reads: number; isDown: boolean }; api: Management }> {
  const state = { reads: 0, isDown: false }
  const { url, close } = await listen(async (request, response) => {
    const { method = '', url = '', headers } = request
    const isRead = method === 'GET' && url.startsWith('/api/webhooks?')
    if (isRead) state.reads++
    if (isRead && state.isDown) return void response.writeHead(503).end()
    const { authorization = '', 'content-type': type = 'application/json' } = headers
    const answer = await fetch(`${emulator.url}${url}`, {
      method,
      headers: { accept: 'application/vnd.api+json', authorization, 'content-type': type },
      body: method === 'GET' ? null : await text(request),
    })
    response.writeHead(answer.status, { 'content-type': type }).end(await answer.text())
  }, '')
  onTestFinished(close)
  return { state, api: connect(emulator, url) }
}

/** Delivers an event that was signed with a secret, and resolves to the status of the answer. */
async function deliver(shop: Receiver, topic: string, secret: string): Promise<number> {
  const { status } = await shop.receive(
    delivery(topic, { data: { id: 'NrlYhpzLKA', type: topic.split('.')[0] } }, secret),
  )
  return status
}

it('verifies deliveries with the secrets of the webhooks of its URL, by topic', async () => {
  const { api, emulator } = await startCommerceLayer()
  const events: string[] = []
  const { url, serve } = await startEndpoint()
  const shop = createQuietReceiver(api.secrets({ callbackUrl: url })).on('*', ({ topic }) => events.push(topic))
  serve(shop)
  await api.webhooks.create({ topic: 'orders.place', callbackUrl: url })
  for (const name of ['one', 'two']) await api.webhooks.create({ topic: 'orders.pay', callbackUrl: url, name })
  const other = await api.webhooks.create({ topic: 'orders.place', callbackUrl, name: 'other', disabled: true })
  await emulator.trigger('orders.place')
  await emulator.trigger('orders.pay')
  expect(events).toEqual(['orders.place', 'orders.pay', 'orders.pay'])

  const [placeSecret, paySecret] = emulator.webhooks.map(({ shared_secret }) => shared_secret)
  expect(await deliver(shop, 'orders.place', paySecret ?? '')).toBe(401)
  expect(await deliver(shop, 'orders.pay', placeSecret ?? '')).toBe(401)
  expect(await deliver(shop, 'orders.place', other.shared_secret)).toBe(401)
})

describe('it reads the webhooks', () => {
  it('once, however many deliveries come first at the same time', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const shop = createQuietReceiver(api.secrets({ callbackUrl }))
    expect(state.reads).toBe(0)
    const answers = await Promise.all(Array.from({ length: 50 }, () => deliver(shop, 'orders.place', shared_secret)))
    expect(new Set(answers)).toEqual(new Set([200]))
    expect(state.reads).toBe(1)
  })

  it('once more for a webhook that was created or replaced, and verifies the delivery that caused it', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const advance = stopClock()
    const shop = createQuietReceiver(api.secrets({ callbackUrl }))
    expect(await deliver(shop, 'orders.place', 'forged')).toBe(401)
    const one = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    advance(60_000)
    const together = Array.from({ length: 20 }, () => deliver(shop, 'orders.place', one.shared_secret))
    expect(new Set(await Promise.all(together))).toEqual(new Set([200]))
    expect(state.reads).toBe(3)
    await api.webhooks.delete(one.id)
    const two = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    advance(60_000)
    expect(await deliver(shop, 'orders.place', two.shared_secret)).toBe(200)
    expect(await deliver(shop, 'orders.place', one.shared_secret)).toBe(401)
    expect(state.reads).toBe(4)
  })

  it('at most once a minute, however many forgeries come', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const advance = stopClock()
    const shop = createQuietReceiver(api.secrets({ callbackUrl }))
    await deliver(shop, 'orders.place', shared_secret)
    const forge = () =>
      Promise.all(
        Array.from({ length: 500 }, (_, at) =>
          deliver(shop, at % 2 ? 'orders.place' : `orders.forged_${at}`, 'forged'),
        ),
      )
    expect(new Set(await forge())).toEqual(new Set([401]))
    expect(state.reads).toBe(2)
    advance(59_999)
    await forge()
    expect(state.reads).toBe(2)
    advance(1)
    await forge()
    await forge()
    expect(state.reads).toBe(3)
  })

  it('again after `refreshMs`, and uses the known secrets meanwhile', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const { id, shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const advance = stopClock()
    const secrets = api.secrets({ callbackUrl, refreshMs: 5_000 })
    expect(await secrets('orders.place')).toEqual([shared_secret])
    await api.webhooks.delete(id)
    advance(4_999)
    expect(await secrets('orders.place')).toEqual([shared_secret])
    expect(state.reads).toBe(1)
    advance(1)
    expect(await secrets('orders.place')).toEqual([shared_secret])
    await waitFor(async () => expect(await secrets('orders.place')).toBeUndefined())
    expect(state.reads).toBe(2)
  })
})

describe('when the API is down', () => {
  it('the known secrets are used, and a read is tried once a second', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const advance = stopClock()
    const secrets = api.secrets({ callbackUrl, refreshMs: 5_000 })
    const shop = createQuietReceiver(secrets)
    const send = () => deliver(shop, 'orders.place', shared_secret)
    // Reads at first; within a minute it only waits for a read that is under way.
    const waitForRead = () => secrets.refresh?.('orders.place')
    await waitForRead()
    expect(await send()).toBe(200)
    expect(state.reads).toBe(1)
    state.isDown = true
    advance(5_000)
    const sendMany = () => Promise.all(Array.from({ length: 50 }, send))
    for (let turn = 0; turn < 20; turn++) expect(new Set(await sendMany())).toEqual(new Set([200]))
    await Promise.resolve(waitForRead()).catch(() => {})
    expect(state.reads).toBe(2)
    advance(1_000)
    for (let turn = 0; turn < 20; turn++) await sendMany()
    await Promise.resolve(waitForRead()).catch(() => {})
    expect(state.reads).toBe(3)
  })

  it('one warning is logged when the secrets cannot be read again, and the next one only after a success', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const advance = stopClock()
    const { logger, lines } = recordingLogger()
    const secrets = api.secrets({ callbackUrl, refreshMs: 5_000, logger })
    const readAgain = async () => {
      const reads = state.reads
      advance(5_000)
      expect(await secrets('orders.place')).toEqual([shared_secret])
      await waitFor(() => expect(state.reads).toBe(reads + 1))
      // It waits for a read that is under way.
      await Promise.resolve(secrets.refresh?.('orders.place')).catch(() => {})
    }
    await secrets('orders.place')
    await Promise.resolve(secrets.refresh?.('orders.place'))
    state.isDown = true
    await readAgain()
    await readAgain()
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({ level: 'warn', fields: { code: 'HTTP_503' } })
    expect(lines[0]?.message).toMatch(/^The secrets could not be read again, so the known ones stay in use: HTTP_503: /)
    expect(JSON.stringify(lines)).not.toContain(shared_secret)
    state.isDown = false
    await readAgain()
    state.isDown = true
    await readAgain()
    expect(lines).toHaveLength(2)
  })

  it('from the start, deliveries are answered 503, and a read is tried once a second', async () => {
    const { emulator } = await startCommerceLayer()
    const { state, api } = await startProxy(emulator)
    const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const advance = stopClock()
    const shop = createQuietReceiver(api.secrets({ callbackUrl }))
    const send = () => deliver(shop, 'orders.place', shared_secret)
    state.isDown = true
    expect(await Promise.all([send(), send(), send()])).toEqual([503, 503, 503])
    expect(await send()).toBe(503)
    expect(state.reads).toBe(1)
    state.isDown = false
    advance(999)
    expect(await send()).toBe(503)
    advance(1)
    expect(await send()).toBe(200)
    expect(state.reads).toBe(2)
  })
})

describe('of 60 cold starts, each with its first delivery', () => {
  const SECRET = '0123456789abcdef0123456789abcdef'

  /** An API with Commerce Layer's limit of 30 token requests a minute. */
  async function startLimitedApi() {
    const webhook = { ...WEBHOOK, attributes: { ...WEBHOOK.attributes, shared_secret: SECRET } }
    const list = { body: { data: [webhook], meta: { record_count: 1, page_count: 1 } } }
    const refusal = { status: 429, body: { errors: { title: 'Too Many Requests', code: 'THROTTLED', status: 429 } } }
    return startScriptedApi(
      () => list,
      (request, number) => (number <= 30 ? grantToken(request, number) : refusal),
    )
  }

  it('none is answered 503 if they share a token through the function `accessToken`', async () => {
    const { url, tokenRequests } = await startLimitedApi()
    let cached: Promise<string> | undefined
    const accessToken = () => {
      cached ??= fetch(`${url}/oauth/token`, { method: 'POST' }).then(async (answer) => {
        const { access_token } = (await answer.json()) as { access_token: string }
        return access_token
      })
      return cached
    }
    const coldStart = () => {
      const api = createManagement({ organization: 'shop', accessToken, url })
      return deliver(createQuietReceiver(api.secrets({ callbackUrl })), 'orders.place', SECRET)
    }
    const answers = await Promise.all(Array.from({ length: 60 }, coldStart))
    expect(new Set(answers)).toEqual(new Set([200]))
    expect(tokenRequests).toHaveLength(1)
  })

  it('none that is answered 503 is without a line that says why', async () => {
    const { manage } = await startLimitedApi()
    const coldStart = async () => {
      const { logger, lines } = recordingLogger()
      const secrets = manage().secrets({ callbackUrl })
      const shop = createReceiver({ secrets, logger, deadlineMs: 3_000 })
      return {
        status: await deliver(shop, 'orders.place', SECRET),
        lines: lines.filter(({ level }) => level === 'error'),
      }
    }
    const starts = await Promise.all(Array.from({ length: 60 }, coldStart))
    const refused = starts.filter(({ status }) => status === 503)
    expect(refused).toHaveLength(30)
    for (const { lines } of refused) {
      expect(lines).toMatchObject([{ message: expect.stringContaining('STORE_UNAVAILABLE. `secrets` failed.') }])
      expect(lines[0]?.fields?.cause).toBeInstanceOf(Error)
    }
  })
})

it('shows no secret', async () => {
  const { api } = await startCommerceLayer()
  const { shared_secret } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
  const secrets = api.secrets({ callbackUrl })
  expect(await secrets('orders.place')).toEqual([shared_secret])
  expect(inspect(secrets, { depth: Infinity, showHidden: true })).not.toContain(shared_secret)
})

describe('it refuses', () => {
  const api = createManagement({ organization: 'shop', accessToken: 'none', url: 'http://127.0.0.1:9' })

  it.each([
    ['a missing URL', {}, 'secrets: `callbackUrl` is missing'],
    [
      'a URL that is not https',
      { callbackUrl: 'http://shop.example' },
      'secrets: `callbackUrl` must start with https://',
    ],
    [
      'a time that is not a number',
      { callbackUrl, refreshMs: Number.NaN },
      'secrets: `refreshMs` must be a number of milliseconds',
    ],
    ['a logger that cannot warn', { callbackUrl, logger: {} }, 'secrets: `logger` must have a method `warn`'],
    ['a time of 0', { callbackUrl, refreshMs: 0 }, 'secrets: `refreshMs` must be over 0'],
    ['an unknown option', { callbackUrl, topic: 'orders.place' }, 'secrets has no option `topic`'],
  ])('%s', (_, options, message) => {
    const make = () => api.secrets(options as never)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})
