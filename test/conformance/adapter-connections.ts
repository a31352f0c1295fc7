import { describe, expect, it, vi } from 'vitest'
import { SECRETS, signatureOf } from './deliveries.ts'
import { chunkOf, connect, headOf, requestOf } from './raw-client.ts'
import { HANDLED, MEGABYTE, open, order } from './raw-scene.ts'
import { createHold, type Stage, wait } from './scene.ts'

/** What happens on the connection itself, byte by byte: sent with a client that has no manners of its own. */
export function testConnections(stage: Stage): void {
  describe('reads', () => {
    it('a character that is split over two packets', async () => {
      const { url, client, handled } = await open(stage)
      const bytes = requestOf(url, order)
      const middle = bytes.indexOf('🛒') + 2
      await client.send(bytes.subarray(0, middle))
      await wait(50)
      await client.send(bytes.subarray(middle))
      expect(await client.answer()).toMatchObject(HANDLED)
      expect(handled.map((body) => body.equals(order.body))).toEqual([true])
    })

    it('a request that comes in packets of seven bytes', async () => {
      const { url, client, handled } = await open(stage)
      const bytes = requestOf(url, order)
      for (let at = 0; at < bytes.length; at += 7) await client.send(bytes.subarray(at, at + 7))
      expect(await client.answer()).toMatchObject(HANDLED)
      expect(handled.map((body) => body.equals(order.body))).toEqual([true])
    })

    it('a chunked body with a trailer, a character split over two chunks', async () => {
      const { url, client, handled } = await open(stage)
      const middle = order.body.indexOf('🛒') + 1
      await client.send(headOf(url, { ...order.headers, 'transfer-encoding': 'chunked', trailer: 'x-checksum' }))
      await client.send(chunkOf(order.body.subarray(0, middle)))
      await wait(20)
      await client.send(chunkOf(order.body.subarray(middle)))
      await client.send('0\r\nx-checksum: 1\r\n\r\n')
      expect(await client.answer()).toMatchObject(HANDLED)
      expect(handled.map((body) => body.equals(order.body))).toEqual([true])
    })

    it('headers whose names are in capitals', async () => {
      const { url, client } = await open(stage)
      const capitals = Object.entries(order.headers).map(([name, value]) => `${name.toUpperCase()}: ${value}`)
      await client.send(headOf(url, [...capitals, `CONTENT-LENGTH: ${order.body.length}`]))
      await client.send(order.body)
      expect(await client.answer()).toMatchObject(HANDLED)
    })

    it('a body that is slow, but there in time', async () => {
      const { url, client } = await open(stage, { bodyTimeoutMs: 1000 })
      const bytes = requestOf(url, order)
      const step = Math.ceil(bytes.length / 5)
      for (let at = 0; at < bytes.length; at += step) {
        await client.send(bytes.subarray(at, at + step))
        await wait(40)
      }
      expect(await client.answer()).toMatchObject(HANDLED)
    })

    it('a body whose sender waits for `100 Continue`', async () => {
      const { url, client } = await open(stage)
      const length = String(order.body.length)
      await client.send(headOf(url, { ...order.headers, 'content-length': length, expect: '100-continue' }))
      await wait(30)
      await client.send(order.body)
      expect(await client.answer()).toMatchObject(HANDLED)
    })
  })

  describe('refuses', () => {
    const signature = signatureOf(order.body, SECRETS['orders.place'])
    const fields = [`Content-Length: ${order.body.length}`, 'X-CommerceLayer-Topic: orders.place']
    it.each([
      ['a signature that is sent twice', ['X-CommerceLayer-Signature', signature], 401, 'SIGNATURE_MISMATCH'],
      ['a topic that is sent twice', ['X-CommerceLayer-Topic', 'orders.place'], 400, 'TOPIC_INVALID'],
      ['a signature that is not ASCII', ['x-commercelayer-signature', 'sïgnåture'], 401, 'SIGNATURE_MISMATCH'],
    ])('%s', async (_, [name, value], status, code) => {
      const { url, client, handled } = await open(stage)
      await client.send(headOf(url, [...fields, `X-CommerceLayer-Signature: ${signature}`, `${name}: ${value}`]))
      await client.send(order.body)
      const answer = await client.answer()
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([status, code])
      expect(handled).toEqual([])
    })

    it('a body that is announced as too large, before any of it was sent', async () => {
      const { url, client, errors } = await open(stage, { maxBodyBytes: MEGABYTE })
      await client.send(headOf(url, { ...order.headers, 'content-length': String(MEGABYTE + 1) }))
      const answer = await client.answer()
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([413, 'BODY_TOO_LARGE'])
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      expect(errors).toEqual(['BODY_TOO_LARGE'])
      client.reset()
    })

    it('a delivery over `maxInFlight`, before any of its body was sent', async () => {
      const { receiver, url } = await stage.serve({ maxInFlight: 1 })
      const hold = createHold()
      let handled = 0
      receiver.on('orders.place', () => {
        handled += 1
        return hold.opened
      })
      const [first, second] = [await connect(url), await connect(url)]
      await first.send(requestOf(url, order))
      await vi.waitFor(() => expect(handled).toBe(1))
      await second.send(headOf(url, { ...order.headers, 'content-length': String(order.body.length) }))
      const answer = await second.answer()
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([503, 'OVERLOADED'])
      hold.open()
      expect(await first.answer()).toMatchObject(HANDLED)
      await second.send(order.body)
      await second.send(requestOf(url, order))
      expect(await second.answer()).toMatchObject(HANDLED)
      expect(handled).toBe(2)
    })
  })
}
