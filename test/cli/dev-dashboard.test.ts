import { request as sendRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import type {
  AnswerItem,
  AnswerPage,
  DeliveryDetails,
  DeliveryItem,
  DeliveryPage,
  SentCalls,
  Setup,
} from '../../src/dashboard/api.ts'
import { readToken } from '../dashboard/harness.ts'
import { type Running, startCli } from './run-cli.ts'

/** A receiver with a recorder. What it answers with depends on what is done to its body. */
function writeShop({ recorder = 'createRecorder()', body = 'bytes', secrets = 'secretsFromEnv()' } = {}): string {
  return `
import { createServer } from 'node:http'
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'
import { createRecorder } from 'hooklayer/recorder'

const receiver = createReceiver({ secrets: ${secrets}, recorder: ${recorder}, logger: { warn() {}, error() {} } })
receiver.on('orders.place', { name: 'erp' }, ({ resource: order }) => console.log('order', order.number))
const listener = createNodeListener(receiver)
createServer(async (request, response) => {
  const bytes = Buffer.concat(await request.toArray())
  await listener(Object.assign(request, { rawBody: ${body} }), response)
}).listen(process.env.PORT, '127.0.0.1')
`
}

const TAXES = `
import { createServer } from 'node:http'
import { createNodeListener } from 'hooklayer/node'
import { createResponder } from 'hooklayer/responder'

const secret = process.env.CL_SECRET_TAX
const taxes = createResponder('tax', { secret }, ({ resource: order }) => ({ tax_rate: Number(order.number) / 10_000 }))
createServer(createNodeListener(taxes)).listen(process.env.PORT, '127.0.0.1', () => console.log('The shop is up.'))
`

interface Session {
  readonly origin: string
  readonly cookie: string
  readonly token: string
  readonly get: <T>(path: string) => Promise<T>
  readonly post: <T>(path: string, body?: unknown) => Promise<T>
  /** The newest delivery, once there are so many. */
  readonly newest: (count: number) => Promise<DeliveryItem>
}

async function start(shop: string, ...args: string[]): Promise<Running> {
  const port = String(20_000 + (process.pid % 20_000))
  const flags = ['dev', '--forward', 'http://127.0.0.1:0/webhooks', '--port', port, ...args]
  return startCli([...flags, '--', 'node', 'shop.mjs'], { files: { 'shop.mjs': shop } })
}

/** Opens the address that was printed, as a browser does. */
async function open(running: Running): Promise<Session> {
  const [, address = ''] = /Dashboard: (\S+)/.exec(await running.lineWith('Dashboard: ')) ?? []
  const first = await fetch(address, { redirect: 'manual' })
  expect([first.status, first.headers.get('location')]).toEqual([303, '/'])
  const set = String(first.headers.get('set-cookie'))
  expect(set).toMatch(/^hooklayer-\d+=[\w-]{32}; HttpOnly; SameSite=Strict; Path=\/$/)
  const { origin } = new URL(address)
  const cookie = String(set.split(';')[0])
  const page = await (await fetch(origin, { headers: { cookie } })).text()
  const token = readToken(page)
  const headers = { cookie, origin, 'x-hooklayer-token': token }
  const get = async <T>(path: string) => (await (await fetch(`${origin}/${path}`, { headers })).json()) as T
  return {
    origin,
    cookie,
    token,
    get,
    async post(path, body = {}) {
      const response = await fetch(`${origin}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      return (await response.json()) as never
    },
    async newest(count) {
      const list = () => get<DeliveryPage>('api/deliveries').then(({ items }) => items)
      await expect.poll(async () => (await list()).length).toBe(count)
      return (await list())[0] as DeliveryItem
    },
  }
}

describe('the dashboard of hooklayer dev', () => {
  it('shows what a recorder in the receiver sends, once, and sends it again', { timeout: 60_000 }, async () => {
    const running = await start(writeShop())
    await running.lineWith('order 1234')
    const { get, post, newest } = await open(running)
    expect(await get<Setup>('api/setup')).toMatchObject({
      isDevelopment: true,
      hasRecorder: true,
      hasWebhooks: true,
      knownTopics: ['orders.place'],
    })
    const { id } = await newest(1)
    const details = await get<DeliveryDetails>(`api/deliveries/${id}`)
    expect(details).toMatchObject({
      source: 'request',
      outcome: 'handled',
      status: 200,
      resource: { number: '1234' },
      handlers: [{ name: 'erp', outcome: 'handled' }],
      isMasked: false,
      canSendAgain: true,
    })
    expect(await post<SentCalls>(`api/deliveries/${id}/send-again`)).toMatchObject({ calls: [{ status: 200 }] })
    expect(await newest(2)).toMatchObject({ source: 'request' })
    await post('api/trigger', { topic: 'orders.place', resource: { number: '4711' } })
    await running.lineWith('order 4711')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await newest(3)).toMatchObject({ source: 'request', resource: { number: '4711' } })
  })

  it('shows what the sender saw where the receiver records nothing, with the reason in words', {
    timeout: 60_000,
  }, async () => {
    const running = await start(writeShop({ recorder: 'undefined', secrets: "'a secret of something else'" }))
    const { get, newest } = await open(running)
    const { id } = await newest(1)
    const details = await get<DeliveryDetails>(`api/deliveries/${id}`)
    expect(details).toMatchObject({
      source: 'sender',
      topic: 'orders.place',
      outcome: 'refused',
      status: 401,
      resource: { type: 'orders', number: '1234' },
      error: { code: 'SIGNATURE_MISMATCH', hint: expect.stringContaining('has signed these bytes') },
    })
    const body = await get<{ data: { attributes: { number: string } } }>(`api/deliveries/${id}/body`)
    expect(body.data.attributes.number).toBe('1234')
  })

  it('says that the secret is another one where the bytes arrived as they were sent', { timeout: 60_000 }, async () => {
    const running = await start(writeShop({ secrets: "'a secret of something else'" }))
    const { get, newest } = await open(running)
    const { id } = await newest(1)
    await expect
      .poll(async () => (await get<DeliveryDetails>(`api/deliveries/${id}`)).error?.hint)
      .toBe(
        'CL_SECRET_ORDERS__PLACE has signed these bytes. They arrived as they were sent, so the receiver has another ' +
          'secret for this topic.',
      )
    expect(await get<DeliveryDetails>(`api/deliveries/${id}`)).toMatchObject({ source: 'request' })
  })

  it('shows where a body that was written anew differs from the bytes that were sent', {
    timeout: 60_000,
  }, async () => {
    const body = "Buffer.from(JSON.stringify(JSON.parse(bytes)).replace('1234', '1235'))"
    const running = await start(writeShop({ body }))
    const { get, newest } = await open(running)
    const item = await newest(1)
    expect(item).toMatchObject({ source: 'request', code: 'SIGNATURE_MISMATCH' })
    const { difference } = await get<DeliveryDetails>(`api/deliveries/${item.id}`)
    expect(difference?.signed).toContain('1234')
    expect(difference?.received).toContain('1235')
  })

  it('asks a responder from the terminal and from the page, and both show what it has answered', {
    timeout: 60_000,
  }, async () => {
    const running = await start(TAXES, '--ask', 'tax=/taxes')
    await running.lineWith('The shop is up.')
    const { get, post } = await open(running)
    expect(await get<Setup>('api/setup')).toMatchObject({ kinds: ['tax'] })
    running.child.stdin.write('a tax\n')
    await running.lineWith('200 accepted')
    const { items } = await get<AnswerPage>('api/answers')
    expect(items).toMatchObject([{ kind: 'tax', outcome: 'accepted', data: '{"tax_rate":0.1234}' }])
    const resource = { number: '2200' }
    expect(await post<AnswerItem>('api/answers', { kind: 'tax', resource })).toMatchObject({
      data: '{"tax_rate":0.22}',
    })
    expect((await get<AnswerPage>('api/answers')).items).toHaveLength(2)
    expect(await running.lineWith('{"tax_rate":0.22}')).toMatch(/^[\d:]+ {2}tax {2}200 accepted {2}\d+ ms {2}\{/)
  })

  it('is closed to everybody without its token, to other hosts and to other origins', { timeout: 60_000 }, async () => {
    const running = await start(writeShop())
    const { origin, get, cookie, token } = await open(running)
    expect(await get('api/setup')).toMatchObject({ isDevelopment: true })
    for (const path of ['', 'api/setup', 'api/deliveries', 'api/live', '?token=x', 'assets/x.js']) {
      const response = await fetch(`${origin}/${path}`)
      expect([path, response.status]).toEqual([path, 403])
      expect(await response.text()).not.toContain('hooklayer-token')
    }
    const { port } = new URL(origin)
    const [, address = ''] = /Dashboard: (\S+)/.exec(running.output()) ?? []
    const { search } = new URL(address)
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1:1', 'localhost']) {
      expect([host, await statusOf(port, `/${search}`, host)]).toEqual([host, 403])
    }
    expect(await statusOf(port, `/${search}`, `localhost:${port}`)).toBe(303)
    const foreign = { method: 'POST', headers: { cookie, origin: 'https://evil.example', 'x-hooklayer-token': token } }
    expect((await fetch(`${origin}/api/trigger`, { ...foreign, body: '{"topic":"orders.place"}' })).status).toBe(403)
    const records = await fetch(`${origin}/records${search}`, { method: 'POST', body: '{}' })
    expect(records.status).toBe(403) // The token of the page is not that of the recorder.
  })

  it('is left out by --no-dashboard', { timeout: 60_000 }, async () => {
    const shop = writeShop().replace("console.log('order'", "console.log(process.env.HOOKLAYER_RECORDER_URL, 'order'")
    const running = await start(shop, '--no-dashboard')
    await running.lineWith('undefined order 1234')
    expect(running.output()).not.toContain('Dashboard')
  })
})

/** `fetch` sets the host by itself. */
function statusOf(port: string, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = sendRequest({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume()
      resolve(Number(response.statusCode))
    })
    request.on('error', reject).end()
  })
}
