import { describe, expect, it } from 'vitest'
import { orderText, signed } from './deliveries.ts'
import { chunkOf, connect, headOf, type RawClient, trickle } from './raw-client.ts'
import type { Stage } from './scene.ts'

const order = signed('orders.place', orderText())
const announced = { 'content-length': String(order.body.length) }

/** What a sender gets that does not get on with it. Side by side, because all of them wait. */
export function testPatience({ serve }: Stage): void {
  describe.concurrent('is not patient for ever', () => {
    it.each([
      ['never comes', 0],
      ['stops coming', 100],
      ['lacks its last byte', order.body.length - 1],
    ])('with a body that %s: 408, and the connection is closed', async (_, length) => {
      const { receiver, url, errors } = await serve({ bodyTimeoutMs: 200 })
      let handled = 0
      receiver.on('orders.place', () => {
        handled += 1
      })
      const client = await connect(url)
      await client.send(headOf(url, { ...order.headers, ...announced }))
      await client.send(order.body.subarray(0, length))
      const begin = performance.now()
      await expectTimeout(client)
      expect(performance.now() - begin).toBeLessThan(1500)
      expect([handled, errors]).toEqual([0, ['BODY_TIMEOUT']])
    })

    it('with a body of which a byte comes now and then: 408, and the connection is closed', async () => {
      const { url, errors } = await serve({ bodyTimeoutMs: 200 })
      const client = await connect(url)
      await client.send(headOf(url, { ...order.headers, 'transfer-encoding': 'chunked' }))
      const trickled = trickle(client, chunkOf('x'))
      await expectTimeout(client)
      await trickled
      expect(errors).toEqual(['BODY_TIMEOUT'])
    })

    it('with a body that is later than `deadlineMs`, whatever `bodyTimeoutMs` says', async () => {
      const { url, errors } = await serve({ deadlineMs: 200 })
      const client = await connect(url)
      await client.send(headOf(url, { ...order.headers, ...announced }))
      await expectTimeout(client)
      expect(errors).toEqual(['BODY_TIMEOUT'])
    })
  })
}

async function expectTimeout(client: RawClient): Promise<void> {
  const answer = await client.answer()
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([408, 'BODY_TIMEOUT'])
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
  expect(answer.headers.connection).toBe('close')
  await client.closed
}
