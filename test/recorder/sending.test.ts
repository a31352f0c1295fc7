import { createServer } from 'node:http'
import { createReceiver } from 'hooklayer'
import { createRecorder, findByteDifference, readRecords } from 'hooklayer/recorder'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { bytes, CART, delivery, recordingLogger, SECRET } from '../deliveries.ts'
import { createPath } from './places.ts'

const VARIABLE = 'HOOKLAYER_RECORDER_URL'
afterEach(() => vi.unstubAllEnvs())
const eventually = (check: () => unknown) => vi.waitFor(check, 10_000)

/** A server that takes in records as `hooklayer dev` does. */
async function startReceiving() {
  const recorder = createRecorder({ redact: false })
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    requests.push(text)
    for (const record of readRecords(text)) recorder.add(record)
    response.end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  return { recorder, requests, url: `http://127.0.0.1:${port}/records?token=t`, server }
}

function createShop(options: Parameters<typeof createRecorder>[0] = {}) {
  const { logger, messages } = recordingLogger()
  const recorder = createRecorder({ logger, ...options })
  onTestFinished(() => recorder.close())
  const receiver = createReceiver({ secrets: SECRET, logger, recorder }).on('orders.place', { name: 'erp' }, () => {
    throw new Error('No mail for ada@example.com')
  })
  return { recorder, receiver, messages }
}

describe('a recorder in a process of `hooklayer dev`', () => {
  it.each([{}, { file: true }])('sends what it records, unmasked (%j)', async ({ file }: { file?: boolean }) => {
    const { recorder: there, url, requests } = await startReceiving()
    vi.stubEnv(VARIABLE, url)
    const { receiver, recorder } = createShop(file ? { file: createPath() } : {})
    vi.unstubAllEnvs()
    const request = delivery('orders.place', CART)
    for (let i = 0; i < 10; i++) await receiver.receive(request)
    await receiver.receive({ ...request, body: bytes(JSON.stringify(CART, null, 1)) })
    await eventually(async () => expect((await there.list()).records).toHaveLength(11))
    expect(requests.length).toBeLessThan(10)
    const [refused, failed] = (await there.list()).records
    const details = await there.get(String(failed?.id))
    expect(details).toMatchObject({
      outcome: 'failed',
      isMasked: false,
      error: { code: 'HANDLER_FAILED', cause: 'No mail for ada@example.com' },
      handlers: [{ name: 'erp', outcome: 'failed', error: 'No mail for ada@example.com' }],
      resource: { number: '2001' },
    })
    expect(Buffer.from(details?.body ?? [])).toEqual(Buffer.from(request.body))
    expect(details?.stages.map(({ name }) => name)).toEqual(['admit', 'secrets', 'read', 'verify', 'parse', 'handle'])
    expect(await there.get(String(refused?.id))).toMatchObject({
      error: { hint: expect.stringMatching(/whitespace/) },
      difference: { offset: 1, signed: expect.stringMatching(/^\{"data"/) },
    })
    const own = (await recorder.list()).records.map(({ id, ...record }) => record.outcome)
    expect(own).toEqual((await there.list()).records.map(({ outcome }) => outcome))
  })

  it('goes on where nobody takes records in', async () => {
    const { url, server } = await startReceiving()
    server.close()
    vi.stubEnv(VARIABLE, url)
    const { receiver, recorder, messages } = createShop()
    expect((await receiver.receive(delivery('customers.create', CART))).status).toBe(400)
    await recorder.close()
    expect((await recorder.list()).records).toHaveLength(1)
    expect(messages().filter((message) => /recorder/i.test(message))).toEqual([])
  })

  it('follows no redirect, which could lead to another machine', async () => {
    const { url: other, requests } = await startReceiving()
    let asked = 0
    const server = createServer((_, response) => {
      asked += 1
      response.writeHead(307, { location: other }).end()
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    vi.stubEnv(VARIABLE, `http://127.0.0.1:${(server.address() as { port: number }).port}/records`)
    const { receiver, recorder } = createShop()
    await receiver.receive(delivery('orders.place', CART))
    await recorder.close()
    expect(asked).toBe(1)
    expect(requests).toEqual([])
  })

  it.each([
    'https://example.com/records',
    'http://example.com',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://169.254.169.254/',
    'file:///etc/passwd',
    'https://127.0.0.1/',
    'http://user:example.com@127.0.0.1/',
    'nonsense',
  ])('ignores %s with a warning that does not quote it', async (url) => {
    vi.stubEnv(VARIABLE, url)
    const fetched = vi.spyOn(globalThis, 'fetch')
    onTestFinished(() => fetched.mockRestore())
    const { receiver, recorder, messages } = createShop()
    await receiver.receive(delivery('orders.place', CART))
    await recorder.close()
    expect(fetched).not.toHaveBeenCalled()
    expect(messages().filter((message) => message.includes(VARIABLE))).toHaveLength(1)
    expect(messages().join()).not.toContain('example.com')
  })
})

describe('readRecords', () => {
  it.each([
    'nonsense',
    '[]',
    '{}',
    '{"source":"request","outcome":"handled"}',
    '{"source":1,"outcome":1,"receivedAt":1}',
  ])('refuses %s', (text) => {
    expect(() => readRecords(text)).toThrow(TypeError)
  })

  it('reads nothing from nothing', () => {
    expect(readRecords('\n')).toEqual([])
  })
})

describe('findByteDifference', () => {
  it('finds the first byte that differs, and never cuts a character', () => {
    const signed = bytes(`{"a":"${'é'.repeat(200)}","b":20.0}`)
    const received = bytes(`{"a":"${'é'.repeat(200)}","b":20}`)
    const difference = findByteDifference(received, signed)
    expect(difference?.offset).toBe(Buffer.from(signed).indexOf('.0}'))
    expect(difference?.received).not.toContain('\ufffd')
    expect(difference?.received).toMatch(/é","b":20\}$/)
    expect(difference?.signed).toMatch(/é","b":20\.0\}$/)
    expect(findByteDifference(signed, signed)).toBeUndefined()
    expect(findByteDifference(bytes('ab'), bytes('a'))).toMatchObject({ offset: 1 })
  })
})
