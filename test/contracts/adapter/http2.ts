import { constants } from 'node:http2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { itUnless } from '../../unless.ts'
import { waitFor } from '../../wait-for.ts'
import { testAdapter } from './adapter.ts'
import { HANDLED, ORDER, orderText, sentAs, UNSIGNED } from './deliveries.ts'
import { digestOf, openRemote, type RemoteReceiver, wait } from './harness.ts'
import { type Limitations, type Listening, NO_BACKGROUND } from './host.ts'
import { startFront } from './http2-front.ts'
import type { Scenario } from './receiver-under-test.ts'
import { openSession, type StreamClient, type StreamRequest } from './stream-client.ts'

const MEGABYTE = 1024 * 1024
/** What a bridge reads on, what the windows and the buffers of a connection hold, and room. */
const BOUND = 32
const LENGTH = String(ORDER.body.length)
const ANNOUNCED = { ...ORDER.headers, 'content-length': LENGTH }
const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_REFUSED_STREAM, NGHTTP2_CANCEL } = constants

const RESETS: readonly (readonly [string, number])[] = [
  ['CANCEL', NGHTTP2_CANCEL],
  ['NO_ERROR', NGHTTP2_NO_ERROR],
  ['INTERNAL_ERROR', NGHTTP2_INTERNAL_ERROR],
  ['REFUSED_STREAM', NGHTTP2_REFUSED_STREAM],
]

const ENDS: readonly (readonly [string, (client: StreamClient) => void])[] = [
  ['with GOAWAY and its connection', (client) => client.session.destroy()],
  ['with an error', (client) => client.session.destroy(undefined, NGHTTP2_INTERNAL_ERROR)],
  ['without a word', (client) => client.breakOff()],
]

const NO_CONNECTION = 'HTTP/2 has no such field'

/** For the front, which is a connection of its own. */
const BEHIND_FRONT: Limitations = {
  ...NO_BACKGROUND,
  closing: NO_CONNECTION,
  'closing after a timeout': NO_CONNECTION,
  'this process': 'the front has buffers of its own',
}

/** The contract of every adapter, over HTTP/2, and what only HTTP/2 has. */
export function testHttp2Adapter(name: string, start: () => Promise<Listening>, limitations: Limitations = {}): void {
  testAdapter(`${name}, behind a front`, async () => startFront(await start()), {
    limitations: { ...BEHIND_FRONT, ...limitations },
  })
  testStreams(name, start, limitations)
}

/** What only HTTP/2 has: streams that are reset, sessions that end, and neighbors that must not notice. */
export function testStreams(name: string, start: () => Promise<Listening>, limitations: Limitations = {}): void {
  describe(`${name}, in streams,`, () => {
    const open = createStreamHost(start)
    testAnswers(open)
    testResets(open)
    testSessions(open, limitations)
    testRefusals(open, limitations)
    testMalformed(open)
  })
}

type Open = (scenario?: Scenario) => Promise<StreamHost>

interface StreamHost {
  /** Observes the receiver through a session of its own. */
  readonly remote: RemoteReceiver
  connect(options?: Parameters<typeof openSession>[1]): Promise<StreamClient>
  /** Expects that a genuine delivery is handled on this session, or on a new one. */
  expectServed(client?: StreamClient): Promise<void>
}

function createStreamHost(start: () => Promise<Listening>): Open {
  let host: Listening | undefined
  let front: Listening | undefined
  const clients: StreamClient[] = []
  beforeAll(async () => {
    host = await start()
    front = await startFront(host)
  })
  afterAll(async () => {
    for (const client of clients) client.session.destroy()
    await front?.close()
  })
  return async (scenario) => {
    if (!host || !front) throw new Error('The host has not been started.')
    const { url } = host
    const remote = await openRemote(front.url, scenario)
    const connect: StreamHost['connect'] = async (options) => {
      const client = await openSession({ url, headers: remote.headers ?? {} }, options)
      clients.push(client)
      return client
    }
    return {
      remote,
      connect,
      async expectServed(client) {
        const answer = await (client ?? (await connect())).send(ORDER)
        expect([answer.status, answer.body]).toEqual([200, HANDLED])
      },
    }
  }
}

function testAnswers(open: Open): void {
  it('answers without any field that belongs to a connection', async () => {
    const { connect } = await open()
    const client = await connect()
    for (const sent of [ORDER, UNSIGNED]) {
      const { headers } = await client.send(sent)
      for (const name of ['connection', 'keep-alive', 'transfer-encoding']) expect(headers).not.toHaveProperty(name)
      expect(headers['content-type']).toMatch(/^application\/json/)
    }
  })

  it('handles a hundred deliveries that come at once in one session, exactly once each', async () => {
    const { remote, connect } = await open({ handler: 'takes a moment', limits: { deadlineMs: 60_000 } })
    const client = await connect()
    const ids = Array.from({ length: 100 }, (_, number) => `order${number}`)
    const answers = await Promise.all(ids.map((id) => client.send(sentAs('orders.place', orderText({ id })))))
    expect(answers.map(({ body }) => body)).toEqual(ids.map(() => HANDLED))
    const { events, errors } = await remote.observed()
    expect([events.map(({ id }) => id).toSorted(), errors]).toEqual([ids.toSorted(), []])
  })

  it('reads a body in frames of seven bytes', async () => {
    const { remote, connect } = await open()
    const { stream, answer } = (await connect()).begin(ORDER.headers)
    for (let at = 0; at < ORDER.body.length; at += 7) stream.write(ORDER.body.subarray(at, at + 7))
    stream.end()
    expect((await answer()).body).toBe(HANDLED)
    expect((await remote.observed()).events.map(({ sha256 }) => sha256)).toEqual([digestOf(ORDER.body)])
  })

  it('reads a body before trailers', async () => {
    const { connect, expectServed } = await open()
    const client = await connect()
    expect((await client.send(ORDER, { 'x-checksum': '1' })).body).toBe(HANDLED)
    await expectServed(client)
  })

  it('does not take a signature or a topic from the trailers', async () => {
    const { remote, connect } = await open()
    const client = await connect()
    const { 'x-commercelayer-signature': signature = '', 'x-commercelayer-topic': topic = '' } = ORDER.headers
    const unsigned = await client.send(UNSIGNED, { 'x-commercelayer-signature': signature })
    expect(unsigned.status).toBe(401)
    const headers = { 'x-commercelayer-signature': signature }
    const untitled = await client.send({ headers, body: ORDER.body }, { 'x-commercelayer-topic': topic })
    expect(untitled.status).toBe(400)
    expect((await remote.observed()).events).toEqual([])
  })

  it('answers a sender that waits for `100 Continue`', async () => {
    const { connect } = await open()
    const { stream, answer } = (await connect()).begin({ ...ANNOUNCED, expect: '100-continue' })
    await wait(30)
    stream.end(ORDER.body)
    expect((await answer()).body).toBe(HANDLED)
  })
}

function testResets(open: Open): void {
  describe.each(RESETS)('when a stream is reset with %s, goes on serving the session:', (_, code) => {
    it('at once', async () => {
      const { remote, connect, expectServed } = await open()
      const client = await connect()
      for (let round = 0; round < 5; round += 1) client.begin(ANNOUNCED).reset(code)
      await expectServed(client)
      await waitFor(async () => expect(new Set((await remote.observed()).errors)).not.toContain('INTERNAL_ERROR'))
      expect((await remote.observed()).events).toHaveLength(1)
    })

    it('after its headers were read', async () => {
      const { remote, connect, expectServed } = await open()
      const client = await connect()
      const request = client.begin(ANNOUNCED)
      await wait(30)
      request.reset(code)
      await waitFor(async () => expect((await remote.observed()).errors).toEqual(['BODY_ABORTED']))
      await expectServed(client)
    })

    it('in the middle of its body', async () => {
      const { remote, connect, expectServed } = await open({ limits: { maxUnverified: 1 } })
      const client = await connect()
      const request = client.begin(ANNOUNCED)
      request.stream.write(ORDER.body.subarray(0, -10))
      await wait(30)
      request.reset(code)
      await waitFor(async () => expect((await remote.observed()).errors).toEqual(['BODY_ABORTED']))
      await expectServed(client)
      expect((await remote.observed()).events).toHaveLength(1)
    })

    it('while its handler runs, which finishes', async () => {
      const { remote, connect, expectServed } = await open({ handler: 'waits to be released' })
      const client = await connect()
      const request = client.begin(ANNOUNCED)
      request.stream.end(ORDER.body)
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      request.reset(code)
      await wait(30)
      await remote.release()
      await waitFor(async () => expect((await remote.observed()).ended).toBe(1))
      await expectServed(client)
      expect((await remote.observed()).errors).toEqual([])
    })

    it('after an early answer, before the rest of its body', async () => {
      const { remote, connect, expectServed } = await open()
      const client = await connect()
      const request = client.begin({ ...UNSIGNED.headers, 'content-length': '1000' })
      expect((await request.answer()).status).toBe(401)
      request.reset(code)
      await expectServed(client)
      expect((await remote.observed()).errors).toEqual(['SIGNATURE_MISSING'])
    })
  })

  it('handles each genuine delivery once while as many streams of its session are reset', async () => {
    const { remote, connect } = await open({ handler: 'takes a moment', limits: { deadlineMs: 60_000 } })
    const client = await connect()
    const answers = Array.from({ length: 50 }, () => {
      const reset = client.begin(ANNOUNCED)
      reset.stream.write(ORDER.body.subarray(0, 100))
      const answer = client.send(ORDER)
      setImmediate(() => reset.reset())
      return answer
    })
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(answers.map(() => HANDLED))
    const { events, ended } = await remote.observed()
    expect([events.length, ended]).toEqual([50, 50])
  })
}

function testSessions(open: Open, limitations: Limitations): void {
  describe.each(ENDS)('when a session ends %s, serves the next one:', (_, end) => {
    it('in the middle of a body', async () => {
      const { remote, connect, expectServed } = await open()
      const client = await connect()
      client.begin(ANNOUNCED).stream.write(ORDER.body.subarray(0, -10))
      await wait(30)
      end(client)
      await waitFor(async () => expect((await remote.observed()).errors).toEqual(['BODY_ABORTED']))
      await expectServed()
    })

    it('while a handler runs', async () => {
      const { remote, connect, expectServed } = await open({ handler: 'waits to be released' })
      const client = await connect()
      client.begin(ANNOUNCED).stream.end(ORDER.body)
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      end(client)
      await wait(30)
      await remote.release()
      await waitFor(async () => expect((await remote.observed()).ended).toBe(1))
      await expectServed()
      expect((await remote.observed()).errors).toEqual([])
    })
  })

  it('finishes what is under way when its client takes no more (GOAWAY)', async () => {
    const { remote, connect } = await open({ handler: 'waits to be released' })
    const client = await connect()
    const request = client.begin(ANNOUNCED)
    request.stream.end(ORDER.body)
    await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
    client.session.goaway()
    await wait(30)
    await remote.release()
    expect((await request.answer()).body).toBe(HANDLED)
  })

  itUnless(limitations['giving up'])(
    'gives a stream up whose client never reads the answer, and serves others meanwhile',
    async () => {
      const { remote, connect, expectServed } = await open()
      const client = await connect({ settings: { initialWindowSize: 0 } })
      const request = client.begin(ANNOUNCED)
      request.stream.end(ORDER.body)
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      await expectServed()
      expect(await request.closed).toBe(NGHTTP2_CANCEL)
      await expectServed()
    },
  )
}

function testRefusals(open: Open, limitations: Limitations): void {
  it('ends only the stream of a body that is too late', async () => {
    const { remote, connect, expectServed } = await open({ limits: { bodyTimeoutMs: 200 } })
    const client = await connect()
    const warnings: string[] = []
    const warn = ({ message }: Error) => warnings.push(message)
    process.on('warning', warn)
    const late = client.begin(ANNOUNCED)
    late.stream.write(ORDER.body.subarray(0, 10))
    const answer = await late.answer()
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([408, 'BODY_TIMEOUT'])
    // At once, and not when the rest of a refused body would be given up.
    expect(await Promise.race([late.closed, wait(2000)])).toBe(NGHTTP2_NO_ERROR)
    await expectServed(client)
    expect((await remote.observed()).errors).toEqual(['BODY_TIMEOUT'])
    process.off('warning', warn)
    // Node warns of a `connection` field, which it drops.
    expect(warnings.filter((message) => message.includes('connection header'))).toEqual([])
  })

  itUnless(limitations.draining)(
    'lets a sender that does not stop send all of a refused body, and then read the answer',
    async () => {
      const { connect, expectServed } = await open({ limits: { maxBodyBytes: MEGABYTE } })
      const client = await connect()
      const refused = client.begin(ORDER.headers)
      expect(await sendMegabytes(refused, 7)).toBe(true)
      refused.stream.end()
      expect((await refused.answer()).status).toBe(413)
      await expectServed(client)
    },
  )

  it.each([
    ['over the limit', ORDER.headers, 413],
    ['without a signature', UNSIGNED.headers, 401],
  ])('does not read an endless body %s to its end, and ends only its stream', async (_, headers, status) => {
    const { connect, expectServed } = await open({ limits: { maxBodyBytes: MEGABYTE } })
    const client = await connect()
    const refused = client.begin(headers)
    expect(await sendMegabytes(refused, BOUND)).toBe(false)
    expect((await refused.answer()).status).toBe(status)
    expect(await refused.closed).toBe(NGHTTP2_NO_ERROR)
    await expectServed(client)
  })
}

function testMalformed(open: Open): void {
  it.each([
    ['shorter', String(ORDER.body.length + 1)],
    ['longer', String(ORDER.body.length - 1)],
  ])('dispatches nothing of a body that is %s than announced', async (_, length) => {
    const { remote, connect, expectServed } = await open()
    const client = await connect()
    const request = client.begin({ ...ORDER.headers, 'content-length': length })
    request.stream.end(ORDER.body)
    await request.closed
    await expectServed()
    const { events, errors } = await remote.observed()
    expect([events.length, errors.filter((code) => code !== 'BODY_ABORTED')]).toEqual([1, []])
  })

  it.each([
    ['signature', 'x-commercelayer-signature', 401],
    ['topic', 'x-commercelayer-topic', 400],
  ])('refuses a %s that is sent twice', async (_, name, status) => {
    const { remote, connect } = await open()
    const value = ORDER.headers[name] ?? ''
    const { stream, answer } = (await connect()).begin({ ...ORDER.headers, [name]: [value, value] })
    stream.end(ORDER.body)
    expect((await answer()).status).toBe(status)
    expect((await remote.observed()).events).toEqual([])
  })

  it('survives headers of 100 KB', async () => {
    const { remote, connect, expectServed } = await open()
    const client = await connect()
    const request = client.begin({ ...ORDER.headers, 'x-padding': 'x'.repeat(100_000) })
    request.stream.end(ORDER.body)
    await request.closed
    await expectServed()
    expect((await remote.observed()).events.length).toBeLessThanOrEqual(2)
  })
}

/** Returns whether everything could be sent before the stream was closed. */
async function sendMegabytes({ stream, closed }: StreamRequest, megabytes: number): Promise<boolean> {
  const piece = Buffer.alloc(64 * 1024, 'x')
  let isOpen = true
  closed.then(() => {
    isOpen = false
  })
  for (let sent = 0; isOpen && sent < megabytes * MEGABYTE; sent += piece.length) {
    const written = new Promise((resolve) => stream.write(piece, resolve))
    await Promise.race([written, closed])
  }
  return isOpen
}
