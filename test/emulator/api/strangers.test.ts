import { once } from 'node:events'
import { connect } from 'node:net'
import type { Emulator } from 'hooklayer/emulator'
import { describe, expect, it } from 'vitest'
import { askForToken, JSON_API, startEmulatorForTest } from '../harness.ts'

const MIB = 2 ** 20
const WEBHOOK = { topic: 'orders.place', callback_url: 'http://127.0.0.1:1/' }

/** Sends a request as written, and reads the answer until the connection ends. */
async function sendRaw(emulator: Emulator, lines: readonly string[], body: Iterable<Buffer> = []): Promise<string> {
  const socket = connect(Number(new URL(emulator.url).port), '127.0.0.1')
  // What has come counts, also where the rest of the body cannot be written any more.
  socket.on('error', () => {})
  let answer = ''
  socket.setEncoding('utf8').on('data', (part) => {
    answer += part
  })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write([...lines, 'Connection: close', '', ''].join('\r\n'))
  for (const part of body) {
    if (socket.destroyed || socket.writableEnded) break
    if (!socket.write(part)) await Promise.race([once(socket, 'drain'), closed]).catch(() => {})
  }
  await closed
  return answer
}

const readStatus = (answer: string) => answer.split(' ')[1]

const nestText = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`
const nest = (levels: number): object => JSON.parse(nestText(levels))

describe('a web page of somebody else', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '10.0.0.1',
    '0.0.0.0',
  ])('reaches nothing by a name that leads here: Host %s', async (host) => {
    const { emulator, token } = await startEmulatorForTest()
    const lines = [`Host: ${host}`, `Authorization: Bearer ${token}`, `Accept: ${JSON_API}`]
    const answer = await sendRaw(emulator, ['GET /api/webhooks HTTP/1.1', ...lines])
    expect([readStatus(answer), answer.includes('FORBIDDEN')]).toEqual(['403', true])
    expect(readStatus(await sendRaw(emulator, ['POST /oauth/token HTTP/1.1', ...lines, 'Content-Length: 0']))).toBe(
      '403',
    )
  })

  it.each(['127.0.0.1', 'localhost:4000', 'shop.localhost', '[::1]:80', 'LOCALHOST'])(
    'is not what a local client is: Host %s is answered',
    async (host) => {
      const { emulator, token } = await startEmulatorForTest()
      const lines = [`Host: ${host}`, `Authorization: Bearer ${token}`]
      expect(readStatus(await sendRaw(emulator, ['GET /api/webhooks HTTP/1.1', ...lines]))).toBe('200')
    },
  )

  it.each(['https://evil.example', 'http://127.0.0.1.evil.example', 'null', '', 'file://'])(
    'makes no webhook and gets no token: Origin %j',
    async (origin) => {
      const { emulator, ask } = await startEmulatorForTest()
      const body = { data: { type: 'webhooks', attributes: WEBHOOK } }
      const { status } = await ask('webhooks', { method: 'POST', headers: { origin }, body })
      expect([status, emulator.webhooks]).toEqual([403, []])
      const credentials = { grant_type: 'client_credentials', client_id: emulator.clientId }
      const form = new URLSearchParams({ ...credentials, client_secret: emulator.clientSecret })
      const answer = await fetch(`${emulator.url}/oauth/token`, { method: 'POST', headers: { origin }, body: form })
      expect(answer.status).toBe(403)
    },
  )

  it('is not a page of this machine, which may call the API', async () => {
    const { ask } = await startEmulatorForTest()
    expect((await ask('webhooks', { headers: { origin: 'http://localhost:5173' } })).status).toBe(200)
  })
})

describe('a body', () => {
  function* writeChunks(size: number) {
    const part = Buffer.from(`10000\r\n${' '.repeat(65_536)}\r\n`)
    for (let sent = 0; sent < size; sent += 65_536) yield part
    yield Buffer.from('0\r\n\r\n')
  }

  it.each(['/oauth/token', '/api/webhooks', '/api/nothing'])('of 64 MiB is refused and not kept: %s', async (path) => {
    const { emulator, token } = await startEmulatorForTest()
    const lines = [
      `POST ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      `Authorization: Bearer ${token}`,
      `Content-Type: ${path === '/oauth/token' ? 'application/json' : JSON_API}`,
    ]
    const before = process.memoryUsage().rss
    const announced = sendRaw(
      emulator,
      [...lines, `Content-Length: ${64 * MIB}`],
      Array(1024).fill(Buffer.alloc(65_536)),
    )
    expect(readStatus(await announced)).toBe('413')
    const chunked = sendRaw(emulator, [...lines, 'Transfer-Encoding: chunked'], writeChunks(64 * MIB))
    expect(readStatus(await chunked)).toBe('413')
    expect(process.memoryUsage().rss - before).toBeLessThan(48 * MIB)
    expect((await askForToken(emulator)).status).toBe(200)
  })

  it('of 256 KiB is accepted, and one byte more is not', async () => {
    const { ask, subscribe } = await startEmulatorForTest()
    const { id } = await subscribe(WEBHOOK)
    const write = (size: number) => {
      const body = (note: string) =>
        JSON.stringify({ data: { type: 'webhooks', id, attributes: { metadata: { note } } } })
      return body('a'.repeat(size - body('').length))
    }
    expect((await ask(`webhooks/${id}`, { method: 'PATCH', body: write(262_144) })).status).toBe(200)
    const { status, body } = await ask(`webhooks/${id}`, { method: 'PATCH', body: write(262_145) })
    expect([status, body.errors[0]?.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  it.each([101, 1000, 20_000])('of %i levels is refused, and lists are answered afterwards', async (levels) => {
    const { ask, subscribe } = await startEmulatorForTest()
    const deep = nestText(levels - 3)
    const body = `{"data":{"type":"webhooks","attributes":{"topic":"orders.place","callback_url":"http://a","metadata":${deep}}}}`
    const { status, body: answer } = await ask('webhooks', { method: 'POST', body })
    expect([status, answer.errors[0]?.code]).toEqual([400, 'BAD_REQUEST'])
    await subscribe({ ...WEBHOOK, metadata: nest(97) })
    const list = await ask('webhooks')
    expect([list.status, list.body.data[0]?.attributes?.metadata]).toEqual([200, nest(97)])
  })
})

describe('a resource that is triggered', () => {
  const recursive: Record<string, unknown> = {}
  recursive.one = recursive
  recursive.other = recursive

  it.each([
    ['has more levels than a document', nest(200)],
    ['contains itself', recursive],
  ])('is refused when its metadata %s, and neither lists nor later triggers break', async (_, metadata) => {
    const { emulator, ask, subscribe } = await startEmulatorForTest({ retries: 0 })
    await subscribe(WEBHOOK)
    await expect(emulator.trigger('orders.place', { metadata })).rejects.toThrow(TypeError)
    for (const list of ['webhooks', 'events', 'event_callbacks']) expect((await ask(list)).status).toBe(200)
    const [event] = (await ask('events')).body.data
    const body = { data: { type: 'events', id: event?.id, attributes: { _trigger: true } } }
    expect((await ask(`events/${event?.id}`, { method: 'PATCH', body })).status).toBe(200)
    await emulator.settled()
    expect(await emulator.trigger('orders.place')).toHaveLength(1)
  })
})

describe('a webhook', () => {
  it.each([
    ['callback_url', `http://a/${'a'.repeat(2048)}`],
    ['callback_url', 'http://a/\u001b[2J'],
    ['callback_url', ' http://a'],
    ['callback_url', 'file:///etc/passwd'],
    ['name', 'a'.repeat(256)],
    ['reference', 'a'.repeat(256)],
    ['include_resources', Array(101).fill('customer')],
    ['include_resources', ['customer.orders.'.repeat(20)]],
  ])('is refused when its %s is out of bounds', async (name, value) => {
    const { ask } = await startEmulatorForTest()
    const body = { data: { type: 'webhooks', attributes: { ...WEBHOOK, [name]: value } } }
    const answer = await ask('webhooks', { method: 'POST', body })
    expect([answer.status, answer.body.errors[0]?.source?.pointer]).toEqual([422, `/data/attributes/${name}`])
  })

  it('is the last after 1,000 others, until one is deleted', async () => {
    const { ask } = await startEmulatorForTest()
    const create = (name = 'the last') =>
      ask('webhooks', { method: 'POST', body: { data: { type: 'webhooks', attributes: { ...WEBHOOK, name } } } })
    for (let i = 0; i < 1000; i++) await create(`webhook ${i}`)
    expect((await create()).status).toBe(400)
    const [first] = (await ask('webhooks')).body.data
    await ask(`webhooks/${first?.id}`, { method: 'DELETE' })
    expect((await create()).status).toBe(201)
  })
})
