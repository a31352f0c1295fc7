import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { HANDLED, ORDER } from '../contracts/adapter/deliveries.ts'
import { send, wait } from '../contracts/adapter/harness.ts'
import { chunkOf, connect, headOf, requestOf } from '../contracts/adapter/raw-client.ts'
import { waitFor } from '../wait-for.ts'
import type { Apps } from './express-apps.ts'

/** Slow middleware, and middleware that writes the answer before the receiver can. */
export function testTimeouts({ behind }: Apps): void {
  describe('behind a timeout middleware that answers first', () => {
    const timeoutAfter =
      (ms: number): RequestHandler =>
      (_, response, next) => {
        setTimeout(() => response.headersSent || response.status(503).send('timed out'), ms)
        next()
      }

    it('lets the handler finish, and discards its answer', async () => {
      const { receiver, url, errors } = await behind(timeoutAfter(30))
      let ended = 0
      receiver.on('orders.place', async () => {
        await wait(100)
        ended += 1
      })
      const client = await connect({ url })
      await client.send(requestOf({ url }, ORDER))
      expect(await client.answer()).toMatchObject({ status: 503, body: 'timed out' })
      await waitFor(() => expect(ended).toBe(1))
      await wait(30)
      await client.send(requestOf({ url }, ORDER))
      expect(await client.answer()).toMatchObject({ status: 503, body: 'timed out' })
      await waitFor(() => expect(ended).toBe(2))
      await wait(30)
      expect(errors).toEqual([])
    })

    it('does not write into an answer that is still being written', async () => {
      const { url, handled } = await behind((_, response, next) => {
        response.status(202).write('so far ')
        setTimeout(() => response.end('so good'), 60)
        next()
      })
      const answer = await send({ url }, ORDER)
      expect([answer.status, answer.text]).toEqual([202, 'so far so good'])
      expect(handled).toHaveLength(1)
    })

    it('still calls `onError` if the body does not arrive after that', async () => {
      const { url, errors } = await behind(timeoutAfter(30), { bodyTimeoutMs: 100 })
      const client = await connect({ url })
      await client.send(headOf({ url }, { ...ORDER.headers, 'content-length': '1000' }))
      expect(await client.answer()).toMatchObject({ status: 503, body: 'timed out' })
      await waitFor(() => expect(errors).toEqual(['BODY_TIMEOUT']))
      client.reset()
    })

    it('serves the next request of the connection when the body went over the limit after that', async () => {
      const { url, errors } = await behind(timeoutAfter(30), { maxBodyBytes: 100_000 })
      const client = await connect({ url })
      await client.send(headOf({ url }, { ...ORDER.headers, 'transfer-encoding': 'chunked' }))
      expect(await client.answer()).toMatchObject({ status: 503, body: 'timed out' })
      for (let sent = 0; sent < 10; sent += 1) {
        await client.send(chunkOf('x'.repeat(100_000)))
        await wait(5)
      }
      await client.send(chunkOf(''))
      expect(errors).toEqual(['BODY_TOO_LARGE'])
      await client.send(requestOf({ url }, ORDER))
      expect(await client.answer()).toMatchObject({ status: 200, body: HANDLED })
    })
  })

  it('answers nothing to a sender that disconnects while an asynchronous middleware runs', async () => {
    const { url, handled, errors } = await behind(async (_, __, next) => {
      await wait(60)
      next()
    })
    const client = await connect({ url })
    await client.send(requestOf({ url }, ORDER).subarray(0, -10))
    await wait(20)
    client.reset()
    await waitFor(() => expect(errors).toEqual(['BODY_ABORTED']))
    expect(handled).toEqual([])
    expect((await send({ url }, ORDER)).status).toBe(200)
  })
}
