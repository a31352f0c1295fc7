import { setTimeout as pause } from 'node:timers/promises'
import { createReceiver } from 'hooklayer'
import { createManagement, type Management } from 'hooklayer/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CallPage, PlanSummary, Sample, SentCalls, WebhookItem, Webhooks } from '../../src/dashboard/api.ts'
import { startApiProxy } from '../cli/api-proxy.ts'
import { listen } from '../contracts/adapter/listen.ts'
import { recordingLogger } from '../deliveries.ts'
import { connect, startCommerceLayer, startEndpoint } from '../management/harness.ts'
import { startDashboard } from './harness.ts'

const { logger } = recordingLogger()

/** The sources that webhooks are read from. The emulator stands for Commerce Layer. */
describe.each(['management', 'emulator'] as const)('webhooks, through the %s', (name) => {
  async function start() {
    const { emulator, api } = await startCommerceLayer({ retries: 0 })
    const endpoint = await startEndpoint()
    const { id } = emulator.subscribe('orders.place', endpoint.url)
    const page = await startDashboard(name === 'management' ? { management: api } : { emulator })
    return { emulator, endpoint, id, page }
  }

  it('are listed with their circuit, and the failures that are left', async () => {
    const { emulator, endpoint, id, page } = await start()
    await emulator.trigger('orders.place')
    endpoint.answer(500)
    for (let i = 0; i < 3; i++) await emulator.trigger('orders.place')
    const { json } = await page.get<Webhooks>('api/webhooks')
    expect(json.items).toEqual([
      {
        id,
        topic: 'orders.place',
        callbackUrl: endpoint.url,
        circuit: 'closed',
        failures: 3,
        failuresLeft: 27,
        disabled: false,
        lastHour: { calls: 4, share: 0.75 },
      },
    ])
  })

  it('have no query and no password of their URL', async () => {
    const { emulator, page } = await start()
    const { host } = new URL((await startEndpoint()).url)
    const { id } = emulator.subscribe('orders.approve', `http://shop:pass4word@${host}/hooks?key=sesame&x=1`)
    const { json, text } = await page.get<Webhooks>('api/webhooks')
    expect(json.items.find((item) => item.id === id)?.callbackUrl).toBe(`http://…@${host}/hooks?…`)
    expect(text + (await page.post(`api/webhooks/${id}/reset`)).text).not.toMatch(/pass4word|sesame/)
  })

  it('have their last calls, the newest first, without the payloads', async () => {
    const { emulator, endpoint, id, page } = await start()
    await emulator.trigger('orders.place', { customer_email: 'zoe@example.com' })
    endpoint.answer(503)
    await emulator.trigger('orders.place')
    const { json, text } = await page.get<CallPage>(`api/webhooks/${id}/calls`)
    expect(json.items).toMatchObject([
      { status: 503, reason: 'Service Unavailable', topic: 'orders.place', createdAt: expect.stringMatching(/Z$/) },
      { status: 200, reason: 'OK' },
    ])
    expect(text).not.toContain('zoe')
    expect(text).not.toContain(emulator.webhooks[0]?.shared_secret)
  })

  it('are called again after a reset of their circuit', async () => {
    const { emulator, endpoint, id, page } = await start()
    endpoint.answer(500)
    for (let i = 0; i < 30; i++) await emulator.trigger('orders.place')
    expect((await page.get<Webhooks>('api/webhooks')).json.items).toMatchObject([{ circuit: 'open', failuresLeft: 0 }])
    const { status, json } = await page.post<WebhookItem>(`api/webhooks/${id}/reset`)
    expect([status, json]).toMatchObject([200, { id, circuit: 'closed', failures: 0, failuresLeft: 30 }])
    endpoint.answer(200)
    expect(await emulator.trigger('orders.place')).toMatchObject([{ response_code: '200' }])
  })

  it.each(['xYZkjABcde', "x' OR 1=1", '../oauth/token', '%2e%2e'])('with the id %s are not found', async (id) => {
    const { page } = await start()
    const { status, json } = await page.post(`api/webhooks/${encodeURIComponent(id)}/reset`)
    expect([status, Object.keys(json)]).toEqual([404, ['error']])
  })
})

describe('through management,', () => {
  it('the state of webhooks is asked for once in five seconds, whoever looks', async () => {
    const { emulator } = await startCommerceLayer()
    emulator.subscribe('orders.place', (await startEndpoint()).url)
    const { url, requests } = await startApiProxy(emulator)
    const page = await startDashboard({ management: connect(emulator, url) })
    await Promise.all(Array.from({ length: 10 }, () => page.get('api/webhooks')))
    const count = requests.length
    await page.get('api/webhooks')
    expect(requests).toHaveLength(count)
    expect(requests.filter(({ path }) => path === '/api/webhooks')).toHaveLength(1)
  })

  it('what takes longer than five seconds is not asked for anew by a page that is loaded again', {
    timeout: 30_000,
  }, async () => {
    const { emulator } = await startCommerceLayer()
    const callbackUrl = (await startEndpoint()).url
    emulator.subscribe('orders.place', callbackUrl)
    const { url, requests } = await startApiProxy(emulator, 2500)
    const receiver = createReceiver({ secrets: { 'orders.place': 'a secret of this test' }, logger })
    receiver.on('orders.place', () => {})
    const page = await startDashboard({ management: connect(emulator, url), receiver, callbackUrl })
    const load = () => Promise.all([page.get('api/webhooks'), page.get('api/plan')])
    const first = load()
    await pause(6000)
    const [webhooks, plan] = await load()
    await first
    const count = requests.length
    expect([webhooks.status, plan.status]).toEqual([200, 200])
    expect(requests.filter(({ path }) => path === '/api/webhooks')).toHaveLength(2)
    expect((await page.get('api/webhooks')).status).toBe(200)
    expect(requests).toHaveLength(count)
  })

  it('the plan is told in sentences', async () => {
    const { emulator, api } = await startCommerceLayer()
    const callbackUrl = 'http://127.0.0.1:3000/webhooks'
    emulator.subscribe('customers.create', callbackUrl)
    const receiver = createReceiver({ secrets: { 'orders.place': 'a secret of this test' }, logger })
    receiver.on('orders.place', { include: ['customer'] }, () => {})
    receiver.on('*', () => {})
    const page = await startDashboard({ management: api, receiver, callbackUrl })
    expect((await page.get('api/setup')).json).toMatchObject({ hasPlan: true, knownTopics: ['orders.place'] })
    const { json } = await page.get<PlanSummary>('api/plan')
    expect(json).toMatchObject({
      callbackUrl,
      steps: [{ action: 'create', text: 'orders.place: No webhook subscribes to it. It includes customer.' }],
      notes: [expect.stringContaining('*')],
    })
    expect(emulator.webhooks).toHaveLength(1)
  })

  it.each<[string, { status: number; body: string }, number, RegExp]>([
    ['refuses', { status: 403, body: '{"errors":[{"code":"FORBIDDEN","detail":"zoe@example.com"}]}' }, 502, /refused/],
    ['fails', { status: 500, body: 'Error at /srv/app.js:12 zoe@example.com' }, 502, /refused the request/],
    ['does not accept the token', { status: 401, body: '{"errors":[{"code":"INVALID_TOKEN"}]}' }, 502, /refused/],
  ])('an API that %s is a sentence without details', async (_, { status, body }, expected, sentence) => {
    const api = await listen((_, response) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    )
    onTestFinished(api.close)
    const page = await startDashboard({ management: manage(api.url) })
    for (const path of ['api/webhooks', 'api/webhooks/xYZkjABcde/calls']) {
      const answer = await page.get<{ error: string }>(path)
      expect(answer.status).toBe(expected)
      expect(answer.json.error).toMatch(sentence)
      expect(answer.text).not.toMatch(/zoe|srv|token-of-this-test/)
    }
    expect((await page.post('api/webhooks/xYZkjABcde/reset')).status).toBe(expected)
    expect(page.logged()).toContain('could not use the management')
    expect(page.logged()).not.toMatch(/zoe|token-of-this-test/)
  })

  it('an API that does not answer is not waited for as long as its client would', { timeout: 40_000 }, async () => {
    const api = await listen(() => {})
    onTestFinished(api.close)
    const management = createManagement({ organization: 'shop', accessToken: 'a token', url: api.url.slice(0, -1) })
    const { status, json } = await (await startDashboard({ management })).get('api/webhooks/xYZkjABcde/calls')
    expect([status, json]).toEqual([503, { error: expect.stringContaining('Try again in a minute.') }])
    const quick = createManagement({ organization: 'shop', accessToken: 'a', url: api.url, retries: 0, timeoutMs: 50 })
    const { json: late } = await (await startDashboard({ management: quick })).get('api/webhooks')
    expect(late).toEqual({ error: 'Commerce Layer did not answer in time. Try again.' })
  })

  it('an API that cannot be reached is a sentence', async () => {
    const api = await listen(() => {})
    await api.close()
    const page = await startDashboard({ management: manage(api.url) })
    const { status, json } = await page.get('api/webhooks')
    expect([status, json]).toEqual([502, { error: 'Commerce Layer cannot be reached. Try again.' }])
  })
})

function manage(url: string): Management {
  return createManagement({
    organization: 'shop',
    accessToken: 'token-of-this-test',
    url: url.slice(0, -1),
    retries: 0,
  })
}

describe('trigger', () => {
  async function start() {
    const { emulator } = await startCommerceLayer({ retries: 0 })
    const endpoint = await startEndpoint()
    const { shared_secret } = emulator.subscribe('orders.place', endpoint.url)
    const receiver = createReceiver({ secrets: { 'orders.place': shared_secret }, logger })
    const handled: string[] = []
    receiver.on('orders.place', { include: ['customer'] }, ({ resource: { number, customer } }) => {
      handled.push(`${number} ${customer.email}`)
    })
    endpoint.serve(receiver)
    return { emulator, handled, endpoint, page: await startDashboard({ emulator, redact: false }) }
  }

  it('has a sample as the webhook would get it, which can be edited and sent', async () => {
    const { page, handled } = await start()
    const { json } = await page.get<Sample>('api/trigger/orders.place')
    expect(json).toMatchObject({ topic: 'orders.place', resource: { type: 'orders', customer: { type: 'customers' } } })
    const { id, ...sample } = json.resource
    const resource = { ...sample, number: '2001', customer: { ...Object(sample.customer), email: 'zoe@example.com' } }
    const sent = await page.post<SentCalls>('api/trigger', { topic: 'orders.place', resource })
    expect(sent.json).toEqual({ calls: [{ topic: 'orders.place', status: 200, reason: 'OK' }] })
    expect(handled).toEqual(['2001 zoe@example.com'])
    const whole = await page.post<SentCalls>('api/trigger', { topic: 'orders.place', resource: { ...resource, id } })
    expect([whole.status, whole.json.calls[0]?.status]).toEqual([200, 200])
    expect(handled).toHaveLength(2)
  })

  it('sends several times, and with faults of its own that end with it', async () => {
    const { page, emulator, handled } = await start()
    const send = (body: object) => page.post<SentCalls>('api/trigger', { topic: 'orders.place', ...body })
    expect((await send({ times: 5 })).json.calls).toHaveLength(5)
    await send({ fault: 'duplicate' })
    await send({ times: 2, fault: 'reorder' })
    await emulator.settled()
    expect(handled).toHaveLength(5 + 2 + 2)
    expect(handled.slice(-2)).toEqual([...handled.slice(-2)].sort().reverse())
    for (const fault of ['wrong-signature', 'other-topic', 'cut']) await send({ fault })
    await emulator.settled()
    expect(handled).toHaveLength(9 + 3)
    const faults = emulator.eventCallbacks.flatMap(({ metadata }) => metadata.fault ?? [])
    expect(faults).toEqual(['duplicate', 'wrongSignature', 'wrongTopic', 'dropMidBody'])
    const begun = performance.now()
    await send({ fault: 'slow' })
    expect(performance.now() - begun).toBeGreaterThan(1500)
  })

  it('says why nothing was called', async () => {
    const { page, endpoint, emulator } = await start()
    const reason = async (topic: string) => (await page.post<SentCalls>('api/trigger', { topic })).json.calls
    expect(await reason('orders.cancel')).toEqual([
      { topic: 'orders.cancel', reason: 'No webhook has this topic: add it to --topics.' },
    ])
    endpoint.answer(500)
    for (let i = 0; i < 30; i++) await emulator.trigger('orders.place')
    expect(await reason('orders.place')).toEqual([
      { topic: 'orders.place', reason: 'The circuit of the webhook is open. Reset it first.' },
    ])
  })

  it.each([
    [{ topic: 'orders.eat' }, /is not a topic of Commerce Layer/],
    [{ topic: 'orders.place', times: 101 }, /`times`/],
    [{ topic: 'orders.place', fault: 'fire' }, /`fault`/],
    [{ topic: 'orders.place', resource: [] }, /`resource`/],
    [{ topic: 'orders.place', count: 2 }, /count/],
    [{}, /`topic`/],
  ])('refuses %j', async (body, message) => {
    const { page } = await start()
    const { status, json } = await page.post<{ error: string }>('api/trigger', body)
    expect(status).toBe(400)
    expect(json.error).toMatch(message)
  })

  it('pollutes no prototype, and is not stopped by a resource that is nested deeply', async () => {
    const { emulator } = await startCommerceLayer()
    emulator.subscribe('orders.place', (await startEndpoint()).url)
    const page = await startDashboard({ emulator, logger })
    const send = (resource: string) =>
      fetch(`${page.url}api/trigger`, {
        method: 'POST',
        headers: { origin: page.url.slice(0, -1), 'x-hooklayer-token': page.token },
        body: `{"topic":"orders.place","resource":${resource}}`,
      })
    await send('{"__proto__":{"isHostile":true},"customer":{"__proto__":{"isHostile":true}}}')
    await send('{"constructor":{"prototype":{"isHostile":true}}}')
    expect(({} as { isHostile?: unknown }).isHostile).toBeUndefined()
    expect((await send(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).status).toBe(503)
    expect((await send('{}')).status).toBe(200)
  })

  it('is not there without an emulator', async () => {
    const { api } = await startCommerceLayer()
    const page = await startDashboard({ management: api })
    expect((await page.get('api/setup')).json).toMatchObject({ isDevelopment: false, hasPlan: false })
    expect((await page.get('api/trigger/orders.place')).status).toBe(404)
    expect((await page.post('api/trigger', { topic: 'orders.place' })).status).toBe(404)
  })
})
