import { createServer } from 'node:http'
import { sign } from 'hooklayer/testing'
import { expect, it } from 'vitest'
import { GONE, startEmulatorForTest, startEndpoint } from '../harness.ts'

it('an event callback has the payload and the answer of a call', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest({ retries: 0 })
  const endpoint = await startEndpoint()
  const webhook = await subscribe({ topic: 'customers.create', callback_url: `${endpoint.url}/422` })
  const [called] = await emulator.trigger('customers.create', { id: 'AbCdEfGhIj', email: 'zoe@example.com' })
  const { status, body } = await ask(`event_callbacks/${called?.id}`)
  expect(status).toBe(200)
  expect(body.data.attributes).toEqual({
    callback_url: `${endpoint.url}/422`,
    payload: called?.payload,
    response_code: '422',
    response_message: 'Unprocessable Entity',
    created_at: called?.created_at,
    updated_at: called?.updated_at,
    reference: null,
    reference_origin: null,
    metadata: {},
  })
  expect(body.data.attributes?.payload).toMatchObject({
    data: { id: 'AbCdEfGhIj', attributes: { email: 'zoe@example.com' } },
  })
  expect(body.data.meta).toMatchObject({ mode: 'test' })
  expect(Object.keys(body.data.relationships ?? {})).toEqual(['webhook', 'event_stores'])
  expect(called?.webhook.id).toBe(webhook.id)
  await endpoint.close()
})

it('the payload of an event callback has sorted keys, so its signature does not match', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest()
  const received: { body: Buffer; signature: string }[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray())
    received.push({ body, signature: String(request.headers['x-commercelayer-signature']) })
    response.end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { attributes } = await subscribe({ topic: 'orders.place', callback_url: `http://127.0.0.1:${port}/` })
  await emulator.trigger('orders.place', { metadata: { é: 1, zz: 2, b: 3, aa: 4, ab: [{ yy: 1, x: 2 }] } })
  server.close()

  const { body } = await ask('event_callbacks')
  const payload = body.data[0]?.attributes?.payload as { data: { attributes: { metadata: object } } }
  expect(Object.keys(payload.data)).toEqual(['id', 'meta', 'type', 'links', 'attributes', 'relationships'])
  expect(JSON.stringify(payload.data.attributes.metadata)).toBe('{"b":3,"aa":4,"ab":[{"x":2,"yy":1}],"zz":2,"é":1}')
  const [sent] = received
  expect(payload).toEqual(JSON.parse(String(sent?.body)))
  const secret = String(attributes?.shared_secret)
  expect(await sign(sent?.body ?? '', secret)).toBe(sent?.signature)
  expect(await sign(JSON.stringify(payload), secret)).not.toBe(sent?.signature)
})

it('an event callback has no response code until the endpoint answers', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest()
  let answer = () => {}
  let called = () => {}
  const isCalled = new Promise<void>((resolve) => {
    called = resolve
  })
  const server = createServer((_request, response) => {
    answer = () => response.end()
    called()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await subscribe({ topic: 'orders.place', callback_url: `http://127.0.0.1:${port}/` })
  const triggered = emulator.trigger('orders.place')
  await isCalled
  const codes = async () => (await ask('event_callbacks')).body.data.map(({ attributes }) => attributes?.response_code)
  expect(await codes()).toEqual([null])
  answer()
  await triggered
  expect(await codes()).toEqual(['200'])
  server.close()
})

it('only webhooks and events can be written', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest({ retries: 0 })
  await subscribe({ topic: 'orders.place', callback_url: GONE })
  const [called] = await emulator.trigger('orders.place')
  const data = { type: 'event_callbacks', id: called?.id, attributes: { response_code: '200' } }
  for (const [method, path] of [
    ['PATCH', `event_callbacks/${called?.id}`],
    ['DELETE', `event_callbacks/${called?.id}`],
    ['POST', 'event_callbacks'],
    ['POST', 'events'],
    ['PUT', 'webhooks'],
  ] as const) {
    const { status, body } = await ask(path, { method, body: { data } })
    expect([path, status, body.errors[0]?.code]).toEqual([path, 405, 'METHOD_NOT_ALLOWED'])
  }
  expect(emulator.eventCallbacks).toEqual([called])
})

it('`last_event_callbacks` of a webhook are all of them, newest first', async () => {
  const { ask, subscribe, emulator } = await startEmulatorForTest({ retries: 28, retryDelayMs: () => 0 })
  const { id } = await subscribe({ topic: 'orders.place', callback_url: GONE })
  await emulator.trigger('orders.place')
  await emulator.settled()
  expect(emulator.eventCallbacks).toHaveLength(29)
  const { body } = await ask(`webhooks/${id}/last_event_callbacks?page[size]=25`)
  const newest = emulator.eventCallbacks.map((callback) => callback.id).reverse()
  expect(body.data.map((callback) => callback.id)).toEqual(newest.slice(0, 25))
  expect(body.meta).toEqual({ record_count: 29, page_count: 2 })
})
