import { createExpressMiddleware } from 'hooklayer/express'
import { describe, expect, it } from 'vitest'
import { testAdapter } from '../conformance/adapter.ts'
import { orderText, signed, withHeaders } from '../conformance/deliveries.ts'
import { listen } from '../conformance/listen.ts'
import { chunkOf, connect, headOf, requestOf, trickle } from '../conformance/raw-client.ts'
import { createStage, type Receiving, wait } from '../conformance/scene.ts'

function start(receiver: Receiving) {
  const middleware = createExpressMiddleware(receiver)
  return listen((request, response) => middleware(request, response))
}

testAdapter('node:http, with the Express middleware as its listener', start, { sockets: true })

/** Here and not in the suite for every adapter, because it takes four seconds and is the bridge's doing. */
describe.concurrent('The rest of a refused body', () => {
  const { serve } = createStage(start)
  const order = signed('orders.place', orderText())
  const unsigned = withHeaders(order, { 'x-commercelayer-signature': undefined })
  const announced = { 'content-length': String(order.body.length) }

  it('closes the connection after a while if it does not come', async () => {
    const { url } = await serve()
    const client = await connect(url)
    await client.send(headOf(url, { ...unsigned.headers, ...announced }))
    expect((await client.answer()).status).toBe(401)
    await wait(500)
    expect(client.isClosed).toBe(false)
    await client.closed
  })

  it('closes the connection after a while if it never ends', async () => {
    const { url } = await serve()
    const client = await connect(url)
    await client.send(headOf(url, { ...unsigned.headers, 'transfer-encoding': 'chunked' }))
    expect((await client.answer()).status).toBe(401)
    await trickle(client, chunkOf('x'.repeat(1000)))
    await client.closed
  })

  it('leaves the connection alone if it comes', async () => {
    const { receiver, url } = await serve()
    receiver.on('orders.place', () => {})
    const client = await connect(url)
    await client.send(headOf(url, { ...unsigned.headers, ...announced }))
    expect((await client.answer()).status).toBe(401)
    await client.send(order.body)
    for (let round = 0; round < 4; round += 1) {
      await wait(1050)
      await client.send(requestOf(url, order))
      expect((await client.answer()).status).toBe(200)
    }
    client.reset()
  })
})
