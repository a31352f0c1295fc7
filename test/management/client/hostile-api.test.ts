import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { createReceiver } from 'hooklayer'
import { createManagement, describePlan, isManagementError, type Management } from 'hooklayer/management'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen } from '../../contracts/adapter/listen.ts'
import { recordingLogger, rejection, SECRET } from '../../deliveries.ts'
import { collect } from '../harness.ts'
import { type Answer, CREDENTIALS, grantToken, LIST, ONE, startScriptedApi, WEBHOOK } from '../scripted-api.ts'

const MIB = 2 ** 20
const CHUNK = Buffer.alloc(65_536, ' ')
const CALLBACK_URL = 'https://shop.example/webhooks'

/** Starts an API that writes each answer itself, byte by byte. It counts the bytes that it could write. */
async function startRawApi(write: (response: ServerResponse) => void) {
  let requests = 0
  const { url, close } = await listen((request, response) => {
    requests++
    request.resume()
    response.on('error', () => {})
    write(response)
  }, '')
  onTestFinished(close)
  const manage = (options: object = {}): Management =>
    createManagement({ organization: 'shop', accessToken: 'token', url, retries: 0, ...options })
  return { url, manage, countRequests: () => requests }
}

/** Goes on writing as long as somebody reads, and returns how many bytes were taken. */
function writeEndlessly(response: ServerResponse): () => number {
  let taken = 0
  const write = () => {
    while (!response.destroyed && response.write(CHUNK, () => (taken += CHUNK.length)));
  }
  response.writeHead(200, { 'content-type': 'application/vnd.api+json' })
  response.on('drain', write)
  write()
  return () => taken
}

describe('an answer that never ends', () => {
  it('is not read beyond `maxResponseBytes`, and its connection is closed', async () => {
    let countTaken = () => 0
    let isClosed = false
    const { manage } = await startRawApi((response) => {
      countTaken = writeEndlessly(response)
      response.on('close', () => {
        isClosed = true
      })
    })
    const { webhooks } = manage({ maxResponseBytes: 2 * MIB })
    expect(await rejection(webhooks.retrieve('a'))).toMatchObject({
      code: 'RESPONSE_TOO_LARGE',
      message: 'The answer is larger than `maxResponseBytes`.',
    })
    await expect.poll(() => isClosed).toBe(true)
    // What the two sockets hold comes on top.
    expect(countTaken()).toBeLessThan(20 * MIB)
  })

  it('is bounded without an option', async () => {
    let countTaken = () => 0
    const { manage } = await startRawApi((response) => {
      countTaken = writeEndlessly(response)
    })
    expect(await rejection(collect(manage().webhooks.list()))).toMatchObject({ code: 'RESPONSE_TOO_LARGE' })
    expect(countTaken()).toBeLessThan(64 * MIB)
  })

  it('is bounded at 64 KiB where a token is asked for', async () => {
    const { url, countRequests } = await startRawApi((response) => writeEndlessly(response))
    const management = createManagement({ ...CREDENTIALS, url })
    expect(await rejection(management.webhooks.retrieve('a'))).toMatchObject({ code: 'RESPONSE_TOO_LARGE' })
    expect(countRequests()).toBe(1)
  })

  it('is counted unpacked: a megabyte of gzip does not become a gigabyte', async () => {
    const packed = gzipSync(Buffer.alloc(64 * MIB, ' '))
    const { manage } = await startRawApi((response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
    )
    expect(packed.length).toBeLessThan(MIB)
    const { webhooks } = manage({ maxResponseBytes: MIB })
    expect(await rejection(webhooks.retrieve('a'))).toMatchObject({ code: 'RESPONSE_TOO_LARGE' })
  })

  it('leaves open whether a change was made', async () => {
    const { manage } = await startRawApi((response) => writeEndlessly(response))
    const { webhooks } = manage({ maxResponseBytes: MIB })
    expect(await rejection(webhooks.create({ topic: 'orders.place', callbackUrl: CALLBACK_URL }))).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    })
  })

  it.each(['{"data":', ' '])('ends with `timeoutMs` when it comes a byte at a time: %j', async (byte) => {
    const { manage } = await startRawApi((response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(byte), 10)
      response.on('close', () => clearInterval(timer))
    })
    expect(await rejection(manage({ timeoutMs: 200 }).webhooks.retrieve('a'))).toMatchObject({ code: 'TIMEOUT' })
  })

  it('is refused while it is still headers', async () => {
    const { manage } = await startRawApi((response) =>
      response.writeHead(200, { 'x-large': 'a'.repeat(MIB) }).end('{}'),
    )
    expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ code: 'CONNECTION_LOST' })
  })
})

describe('an answer of the greatest size that is allowed', () => {
  it('is read whole, also in chunks that cut characters', async () => {
    const name = '→'.repeat(30_000)
    const text = Buffer.from(JSON.stringify({ data: { ...WEBHOOK, attributes: { ...WEBHOOK.attributes, name } } }))
    const padded = Buffer.concat([text, Buffer.alloc(65_536 - (text.length % 65_536), ' ')])
    const { manage } = await startRawApi(async (response) => {
      for (let at = 0; at < padded.length; at += 997) response.write(padded.subarray(at, at + 997))
      response.end()
    })
    expect(await manage({ maxResponseBytes: padded.length }).webhooks.retrieve('a')).toMatchObject({ name })
    expect(await rejection(manage({ maxResponseBytes: 65_536 }).webhooks.retrieve('a'))).toMatchObject({
      code: 'RESPONSE_TOO_LARGE',
    })
  })
})

/** Creates that many webhooks, one a second from `first` on. */
function createPage(first: number, size = 25): object[] {
  return Array.from({ length: size }, (_, index) => ({
    ...WEBHOOK,
    id: `webhook-${first + index}`,
    attributes: {
      ...WEBHOOK.attributes,
      created_at: new Date(1_790_000_000_000 + (first + index) * 1000).toISOString(),
    },
  }))
}

const writePage = (data: object[]): Answer => ({ body: { data, meta: { record_count: 1e9, page_count: 1e9 } } })

describe('a list without end', () => {
  it.each<[string, (number: number) => object[]]>([
    ['is the same page for ever', () => createPage(0)],
    [
      'is the same page of one moment for ever',
      () => createPage(0).map((one) => ({ ...one, attributes: WEBHOOK.attributes })),
    ],
    ['is two pages by turns', (number) => createPage(number % 2 === 1 ? 0 : 25)],
    ['is three pages by turns', (number) => createPage((number % 3) * 25)],
    ['goes back in time', (number) => createPage(100_000 - number * 25)],
    ['is the same page for ever, in no order', () => [...createPage(24, 1), ...createPage(0, 24)]],
  ])('ends when it %s', async (_, readPage) => {
    const { manage, requests } = await startScriptedApi((_, number) => writePage(readPage(number)))
    const { webhooks, eventCallbacks } = manage()
    expect(await rejection(collect(webhooks.list()))).toMatchObject({ code: 'RESPONSE_INVALID' })
    expect(await rejection(collect(eventCallbacks.list()))).toMatchObject({ code: 'RESPONSE_INVALID' })
    expect(requests.length).toBeLessThan(25)
  })

  it('gives each record once before it ends', async () => {
    const { manage } = await startScriptedApi(() => writePage(createPage(0)))
    const ids: string[] = []
    await rejection(
      (async () => {
        for await (const { id } of manage().webhooks.list()) ids.push(id)
      })(),
    )
    expect(ids).toEqual(createPage(0).map((one) => Object(one).id))
  })

  it('of new webhooks ends at 10,000', async () => {
    const { manage, requests } = await startScriptedApi((_, number) => writePage(createPage((number - 1) * 25)))
    expect(await rejection(manage().plan(listenToOrders(), { callbackUrl: CALLBACK_URL }))).toMatchObject({
      code: 'RESPONSE_INVALID',
    })
    expect(requests).toHaveLength(401)
  })

  it.each([undefined, null, 7, '', 'yesterday', '2026 (\u001b)', {}])(
    'is refused for a time that is %j',
    async (time) => {
      const data = [{ ...WEBHOOK, attributes: { ...WEBHOOK.attributes, created_at: time } }]
      const { manage } = await startScriptedApi(() => writePage(data))
      expect(await rejection(collect(manage().webhooks.list()))).toMatchObject({ code: 'RESPONSE_INVALID' })
    },
  )
})

function listenToOrders() {
  const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger })
  receiver.on('orders.place', () => {})
  return receiver
}

const NASTY = '\u001b[2J\r\n\u0007\u009b\u202e\u2028\ud800 all \u{1f600} went well'

describe('a text of the API that is printed', () => {
  it('has no character that a terminal obeys, in any member of an error', async () => {
    const { manage } = await startScriptedApi(() => ({
      status: 422,
      body: { errors: [{ code: NASTY, detail: NASTY, title: NASTY, source: { pointer: NASTY } }] },
    }))
    const error = await rejection(manage().webhooks.retrieve('a'))
    const { message, code, detail, pointer } = Object(error)
    expect([message, code, detail, pointer].join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    expect(detail).toBe('\\u{1b}[2J\\u{d}\\u{a}\\u{7}\\u{9b}\\u{202e}\\u{2028}\\u{d800} all \u{1f600} went well')
  })

  it('is short', async () => {
    const { manage } = await startScriptedApi(() => ({
      status: 422,
      body: { errors: [{ code: 'C'.repeat(MIB), detail: 'd'.repeat(MIB), source: { pointer: '/'.repeat(MIB) } }] },
    }))
    const { message, code, detail, pointer } = Object(await rejection(manage().webhooks.retrieve('a')))
    expect([code.length, detail.length, pointer.length]).toEqual([100, 2000, 2000])
    expect(message.length).toBeLessThan(5000)
  })

  it('has none in a plan either', async () => {
    const attributes = { ...WEBHOOK.attributes, topic: `orders.${NASTY}`, reference_origin: 'hooklayer' }
    const { manage } = await startScriptedApi(() => ({
      body: { data: [{ ...WEBHOOK, attributes }], meta: { record_count: 1, page_count: 1 } },
    }))
    const plan = await manage().plan(listenToOrders(), { callbackUrl: CALLBACK_URL })
    expect(describePlan(plan)).toContain('orders.\\u{1b}[2J')
    expect(describePlan(plan).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  })
})

describe('an endpoint for tokens', () => {
  it.each([
    ['with a line break', { access_token: 'a\r\nX-Other: b', expires_in: 7200 }],
    ['with characters that no header has', { access_token: 'a→', expires_in: 7200 }],
    ['that is empty', { access_token: '', expires_in: 7200 }],
    ['that is larger than any header', { access_token: 'a'.repeat(10_000), expires_in: 7200 }],
    ['that is expired', { access_token: 'a', expires_in: 0 }],
    ['that expired long ago', { access_token: 'a', expires_in: -1e300 }],
    ['that expires at no time', { access_token: 'a', expires_in: null }],
  ])('that grants a token %s gets no request with it', async (_, body) => {
    const { manage, requests, tokenRequests } = await startScriptedApi(
      () => ONE,
      () => ({ body }),
    )
    const error = await rejection(manage().webhooks.retrieve('a'))
    expect(error).toMatchObject({ code: 'RESPONSE_INVALID' })
    expect([requests.length, tokenRequests.length]).toEqual([0, 1])
  })

  it('that redirects gets the client secret to nobody else', async () => {
    const other = await startScriptedApi(() => ONE)
    const { manage } = await startScriptedApi(
      () => ONE,
      () => ({ status: 307, headers: { location: `${other.url}/oauth/token` } }),
    )
    expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ code: 'HTTP_307' })
    expect([...other.requests, ...other.tokenRequests]).toEqual([])
  })

  it('whose tokens the API always refuses is asked twice for a call, not for ever', async () => {
    const { manage, tokenRequests } = await startScriptedApi(() => ({
      status: 401,
      body: { errors: [{ code: 'INVALID_TOKEN' }] },
    }))
    expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ code: 'INVALID_TOKEN' })
    expect(tokenRequests).toHaveLength(2)
  })

  it('is not asked again while the token is valid, however large `expires_in` is', async () => {
    const { manage, tokenRequests } = await startScriptedApi(
      () => ONE,
      async (request, number) => ({
        body: { ...Object((await grantToken(request, number))?.body), expires_in: 1e308 },
      }),
    )
    const { webhooks } = manage()
    for (let count = 0; count < 3; count++) await webhooks.retrieve('a')
    expect(tokenRequests).toHaveLength(1)
  })
})

describe('a rate limit', () => {
  it('that is over at once is not asked for without end', async () => {
    const { manage, requests } = await startScriptedApi(() => ({
      status: 429,
      headers: { 'x-ratelimit-interval': '0.000001' },
    }))
    expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ code: 'RATE_LIMITED', status: 429 })
    expect(requests).toHaveLength(20)
  })
})

describe('an answer of another kind', () => {
  it.each([
    ['a page of HTML', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
    ['bytes that are no text', { headers: { 'content-type': 'image/png' }, body: '\u0089PNG' }],
    ['JSON of 100,000 levels', { body: '['.repeat(100_000) + ']'.repeat(100_000) }],
    ['another document', { body: { data: [{ id: 7 }], meta: 7 } }],
  ])('is no result: %s', async (_, answer) => {
    const { manage } = await startScriptedApi(() => answer)
    const { webhooks } = manage()
    expect(await rejection(webhooks.retrieve('a'))).toMatchObject({ code: 'RESPONSE_INVALID' })
    expect(await rejection(collect(webhooks.list()))).toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  it.each<[string, (index: number) => number[]]>([
    ['that lead to the next two, and so by more ways than can be gone', (index) => [index + 1, index + 2]],
    ['that all lead to each other', () => Array.from({ length: 30 }, (_, index) => index)],
    ['that lead to themselves', (index) => [index]],
  ])('is not followed beyond what was asked for: included resources %s', async (_, findNext) => {
    const size = 60
    const toLinks = (indexes: number[]) => ({
      data: indexes.filter((index) => index < size).map((index) => ({ type: 'event_callbacks', id: `call-${index}` })),
    })
    const included = Array.from({ length: size }, (_, index) => ({
      type: 'event_callbacks',
      id: `call-${index}`,
      attributes: { response_code: '200' },
      relationships: { webhook: { data: { type: 'webhooks', id: 'a' } }, calls: toLinks(findNext(index)) },
    }))
    const data = [{ ...WEBHOOK, relationships: { last_event_callbacks: toLinks([0, 1]) } }]
    const { manage } = await startScriptedApi(() => ({ body: { ...Object(LIST.body), data, included } }))
    const [webhook] = await collect(manage().webhooks.list())
    expect(webhook?.last_event_callbacks).toMatchObject([
      { id: 'call-0', response_code: '200' },
      { id: 'call-1', response_code: '200' },
    ])
    expect(webhook?.last_event_callbacks?.[0]).not.toHaveProperty('calls')
  })

  it('is not linked if it has more links and resources than a page', async () => {
    const included = Array.from({ length: 10_000 }, (_, index) => ({ type: 'events', id: `${index}` }))
    const data = [{ ...WEBHOOK, relationships: { events: { data: included } } }]
    const { manage } = await startScriptedApi(() => ({ body: { ...Object(LIST.body), data, included } }))
    expect(await rejection(collect(manage().webhooks.list()))).toMatchObject({ code: 'RESPONSE_INVALID' })
  })

  it.each([
    { included: [null, 7, 'a', { relationships: 7 }], data: [WEBHOOK] },
    { included: [], data: [{ ...WEBHOOK, relationships: { a: null } }] },
    { included: {}, data: [{ ...WEBHOOK, relationships: { a: { data: [null] } } }] },
  ])('never fails with anything but a ManagementError: %j', async (body) => {
    const { manage } = await startScriptedApi(() => ({ body: { ...Object(LIST.body), ...body } }))
    const settled = await collect(manage().webhooks.list()).catch((error: unknown) => error)
    expect(Array.isArray(settled) || isManagementError(settled)).toBe(true)
  })
})
