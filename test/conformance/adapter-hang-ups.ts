import { describe, expect, it, vi } from 'vitest'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'
import { HANDLED, open, order, unsigned } from './raw-scene.ts'
import { createHold, type Stage, wait } from './scene.ts'

/** Senders that do not wait for the answer. */
export function testHangUps(stage: Stage): void {
  describe('when the sender hangs up', () => {
    it.each([
      ['without a word', (client: RawClient) => client.reset()],
      ['politely', (client: RawClient) => client.end()],
    ])('%s in the middle of the body, dispatches nothing, tells `onError` and serves on', async (_, hangUp) => {
      const { url, client, handled, errors } = await open(stage)
      await client.send(requestOf(url, order).subarray(0, -10))
      await wait(30)
      hangUp(client)
      await vi.waitFor(() => expect(errors).toEqual(['BODY_ABORTED']))
      const next = await connect(url)
      await next.send(requestOf(url, order))
      expect(await next.answer()).toMatchObject(HANDLED)
      expect(handled).toHaveLength(1)
      client.reset()
    })

    it('in the middle of a chunked body, dispatches nothing even if what came was a whole order', async () => {
      const { url, client, handled, errors } = await open(stage)
      await client.send(headOf(url, { ...order.headers, 'transfer-encoding': 'chunked' }))
      await client.send(chunkOf(order.body))
      await wait(30)
      client.reset()
      await vi.waitFor(() => expect(errors).toEqual(['BODY_ABORTED']))
      expect(handled).toEqual([])
    })

    it('while the handler runs, lets it end', async () => {
      const { receiver, url, errors } = await stage.serve()
      const hold = createHold()
      let [started, ended] = [0, 0]
      receiver.on('orders.place', async () => {
        started += 1
        await hold.opened
        ended += 1
      })
      const client = await connect(url)
      await client.send(requestOf(url, order))
      await vi.waitFor(() => expect(started).toBe(1))
      client.reset()
      await wait(30)
      hold.open()
      const next = await connect(url)
      await next.send(requestOf(url, order))
      expect(await next.answer()).toMatchObject(HANDLED)
      expect([ended, errors]).toEqual([2, []])
    })

    it('after an early answer, before the rest of the body, serves on', async () => {
      const { url, client, errors } = await open(stage)
      await client.send(headOf(url, { ...unsigned.headers, 'content-length': '1000' }))
      expect((await client.answer()).status).toBe(401)
      client.reset()
      await wait(30)
      const next = await connect(url)
      await next.send(requestOf(url, order))
      expect(await next.answer()).toMatchObject(HANDLED)
      expect(errors).toEqual(['SIGNATURE_MISSING'])
    })
  })
}
