import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { type Sent, withHeaders } from './deliveries.ts'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'
import { HANDLED, MEGABYTE, open, order, unsigned } from './raw-scene.ts'
import type { Stage } from './scene.ts'

/** What becomes of a body, and of its connection, that is answered before it was there. */
export function testEarlyAnswers(stage: Stage): void {
  describe('lets a sender that does not stop send everything and then read the answer', () => {
    const endless = { ...order.headers, 'transfer-encoding': 'chunked' }
    const announced = { ...order.headers, 'content-length': String(30 * MEGABYTE) }
    const forged = { ...unsigned.headers, 'transfer-encoding': 'chunked' }
    const cases: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
      ['a chunked body over the limit', endless, 413],
      ['a body announced as over the limit', announced, 413],
      ['a large body without a signature', forged, 401],
    ]

    it.each(cases)('%s, and serves its next request', async (_, headers, status) => {
      const { url, client, handled } = await open(stage, { maxBodyBytes: MEGABYTE })
      const chunked = headers !== announced
      await client.send(headOf(url, headers))
      expect(await sendMegabytes(client, 30, chunked)).toBe(true)
      if (chunked) await client.send(chunkOf(''))
      const answer = await client.answer()
      expect(answer.status).toBe(status)
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      await client.send(requestOf(url, order))
      expect(await client.answer()).toMatchObject(HANDLED)
      expect(handled).toHaveLength(1)
    })

    it.each(cases)('%s, with `Connection: close`, and closes the connection then', async (_, headers, status) => {
      const { url, client, handled } = await open(stage, { maxBodyBytes: MEGABYTE })
      const chunked = headers !== announced
      await client.send(headOf(url, { ...headers, connection: 'close' }))
      expect(await sendMegabytes(client, 30, chunked)).toBe(true)
      if (chunked) await client.send(chunkOf(''))
      expect((await client.answer()).status).toBe(status)
      await client.closed
      expect(handled).toEqual([])
    })

    it('and keeps nothing of a body over the limit, nor keeps others from being served', async () => {
      const { url, client, handled, errors } = await open(stage, { maxBodyBytes: MEGABYTE })
      await client.send(headOf(url, endless))
      const before = bytesInBuffers()
      await sendMegabytes(client, 30, true)
      await vi.waitFor(() => expect(bytesInBuffers() - before).toBeLessThan(5 * MEGABYTE))
      expect((await client.answer()).status).toBe(413)
      expect([handled, errors]).toEqual([[], ['BODY_TOO_LARGE']])
      const other = await connect(url)
      await other.send(requestOf(url, order))
      expect(await other.answer()).toMatchObject(HANDLED)
      client.reset()
    })
  })

  describe('serves the next request of a connection', () => {
    const tooLarge = { ...order, body: Buffer.alloc(20_000, 'x') }
    const cases: readonly (readonly [string, Sent, number])[] = [
      ['401', unsigned, 401],
      ['413', tooLarge, 413],
      ['415', withHeaders(order, { 'content-encoding': 'gzip' }), 415],
      ['200', order, 200],
    ]

    it.each(cases)('after a %s that was sent before the body', async (_, { headers, body }, status) => {
      const { url, client, handled } = await open(stage, { maxBodyBytes: 10_000 })
      await client.send(headOf(url, { ...headers, 'content-length': String(body.length) }))
      const early = status === 200 ? undefined : await client.answer()
      await client.send(body)
      expect((early ?? (await client.answer())).status).toBe(status)
      await client.send(requestOf(url, order))
      expect(await client.answer()).toMatchObject(HANDLED)
      expect(handled).toHaveLength(status === 200 ? 2 : 1)
    })

    it.each(cases)('after a %s, when both were sent at once', async (_, sent, status) => {
      const { url, client, handled } = await open(stage, { maxBodyBytes: 10_000 })
      await client.send(Buffer.concat([requestOf(url, sent), requestOf(url, order), requestOf(url, sent)]))
      expect((await client.answer()).status).toBe(status)
      expect(await client.answer()).toMatchObject(HANDLED)
      expect((await client.answer()).status).toBe(status)
      expect(handled).toHaveLength(status === 200 ? 3 : 1)
    })

    it('after a chunked body over the limit that came in one packet', async () => {
      const { url, client } = await open(stage, { maxBodyBytes: 1000 })
      const head = headOf(url, { ...order.headers, 'transfer-encoding': 'chunked' })
      const chunks = Array.from({ length: 20 }, () => chunkOf('x'.repeat(400)))
      await client.send(Buffer.concat([Buffer.from(head), ...chunks, chunkOf('')]))
      expect((await client.answer()).status).toBe(413)
      await client.send(requestOf(url, order))
      expect(await client.answer()).toMatchObject(HANDLED)
    })

    it('ten times over', async () => {
      const { url, client, handled } = await open(stage)
      for (let round = 0; round < 10; round += 1) {
        await client.send(requestOf(url, round % 2 ? unsigned : order))
        expect((await client.answer()).status).toBe(round % 2 ? 401 : 200)
      }
      expect(handled).toHaveLength(5)
    })
  })
}

/** Whether all of it could be sent: a sender that gets an error while it writes may never look at the answer. */
async function sendMegabytes(client: RawClient, megabytes: number, chunked: boolean): Promise<boolean> {
  const piece = Buffer.alloc(64 * 1024, 'x')
  const bytes = chunked ? chunkOf(piece) : piece
  for (let sent = 0; sent < megabytes * MEGABYTE; sent += piece.length) {
    if (!(await client.send(bytes))) return false
  }
  return true
}

/** What buffers hold after a garbage collection: sender and receiver are in one process, and the sender keeps nothing. */
function bytesInBuffers(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  return process.memoryUsage().arrayBuffers
}
