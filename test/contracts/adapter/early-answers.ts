import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect } from 'vitest'
import { withHeaders } from '../../deliveries.ts'
import { waitFor } from '../../wait-for.ts'
import { HANDLED, ORDER, type Sent, UNSIGNED } from './deliveries.ts'
import type { RemoteReceiver } from './harness.ts'
import type { Host } from './host.ts'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'

const MEGABYTE = 1024 * 1024
/** More than the buffers of a connection hold, and less than a bridge reads on. */
const MEGABYTES = 7
/** What a bridge reads on, what the buffers of a connection may hold, and room. */
const BOUND = 32
const AGAIN = { status: 200, body: HANDLED }

const endless = { ...ORDER.headers, 'transfer-encoding': 'chunked' }
const announced = { ...ORDER.headers, 'content-length': String(MEGABYTES * MEGABYTE) }
const forged = { ...UNSIGNED.headers, 'transfer-encoding': 'chunked' }
const UNSTOPPED: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
  ['a chunked body over the limit', endless, 413],
  ['a body announced as over the limit', announced, 413],
  ['a large body without a signature', forged, 401],
]
const ENDLESS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['a chunked body', endless],
  ['a body announced as a gigabyte', { ...ORDER.headers, 'content-length': String(1024 * MEGABYTE) }],
  ['a body without a signature', forged],
]

const EARLY: readonly (readonly [sent: Sent, status: number])[] = [
  [UNSIGNED, 401],
  [{ ...ORDER, body: Buffer.alloc(20_000, 'x') }, 413],
  [withHeaders(ORDER, { 'content-encoding': 'gzip' }), 415],
  [ORDER, 200],
]

/**
 * Requests that are answered before their body has arrived: what happens to the rest of the body and to the connection.
 */
export function testEarlyAnswers({ open, needs }: Host): void {
  describe('lets a sender that does not stop send everything and then read the answer', () => {
    for (const [what, headers, status] of UNSTOPPED) {
      const chunked = headers !== announced
      const draining = chunked ? (['draining'] as const) : (['draining', 'draining what was announced'] as const)
      const sendAll = async (
        remote: RemoteReceiver,
        client: RawClient,
        more: Readonly<Record<string, string>> = {},
      ) => {
        await client.send(headOf(remote, { ...headers, ...more }))
        expect(await sendMegabytes(client, MEGABYTES, chunked)).toBe(true)
        if (chunked) await client.send(chunkOf(''))
        const answer = await client.answer()
        expect(answer.status).toBe(status)
        expect(answer.headers['content-type']).toMatch(/^application\/json/)
      }

      needs('streamed bodies', ...draining)(what, async () => {
        const remote = await open({ limits: { maxBodyBytes: MEGABYTE } })
        await sendAll(remote, await connect(remote))
        expect((await remote.observed()).events).toEqual([])
      })

      needs(
        'streamed bodies',
        ...draining,
        'keep-alive',
      )(`${what}, and serves its next request`, async () => {
        const remote = await open({ limits: { maxBodyBytes: MEGABYTE } })
        const client = await connect(remote)
        await sendAll(remote, client)
        await client.send(requestOf(remote, ORDER))
        expect(await client.answer()).toMatchObject(AGAIN)
        expect((await remote.observed()).events).toHaveLength(1)
      })

      const closing = needs('streamed bodies', 'draining', 'closing')
      closing(`${what}, with \`Connection: close\`, and closes the connection then`, async () => {
        const remote = await open({ limits: { maxBodyBytes: MEGABYTE } })
        const client = await connect(remote)
        await sendAll(remote, client, { connection: 'close' })
        await client.closed
        expect((await remote.observed()).events).toEqual([])
      })
    }

    needs('this process', 'draining')('keeps nothing of the body in memory, and serves others meanwhile', async () => {
      const remote = await open({ limits: { maxBodyBytes: MEGABYTE } })
      const [client, other] = [await connect(remote), await connect(remote)]
      await client.send(headOf(remote, endless))
      const before = bytesInBuffers()
      await sendMegabytes(client, MEGABYTES, true)
      await waitFor(() => expect(bytesInBuffers() - before).toBeLessThan(5 * MEGABYTE))
      expect((await client.answer()).status).toBe(413)
      const { events, errors } = await remote.observed()
      expect([events, errors]).toEqual([[], ['BODY_TOO_LARGE']])
      await other.send(requestOf(remote, ORDER))
      expect(await other.answer()).toMatchObject(AGAIN)
      client.reset()
    })
  })

  describe('does not read an endless body to its end:', () => {
    for (const [what, headers] of ENDLESS) {
      needs('streamed bodies', 'bounded draining')(`${what} is given up, with its connection`, async () => {
        const remote = await open({ limits: { maxBodyBytes: MEGABYTE } })
        const client = await connect(remote)
        await client.send(headOf(remote, headers))
        expect(await sendMegabytes(client, BOUND, 'transfer-encoding' in headers)).toBe(false)
        client.reset()
      })
    }
  })

  describe('serves the next request of a connection', () => {
    for (const [sent, status] of EARLY) {
      const times = status === 200 ? 1 : 0

      needs(
        'streamed bodies',
        'draining',
        'keep-alive',
      )(`after a ${status} that was sent before the body`, async () => {
        const remote = await open({ limits: { maxBodyBytes: 10_000 } })
        const client = await connect(remote)
        await client.send(headOf(remote, { ...sent.headers, 'content-length': String(sent.body.length) }))
        const early = times ? undefined : await client.answer()
        await client.send(sent.body)
        expect((early ?? (await client.answer())).status).toBe(status)
        await client.send(requestOf(remote, ORDER))
        expect(await client.answer()).toMatchObject(AGAIN)
        expect((await remote.observed()).events).toHaveLength(times + 1)
      })

      needs('draining', 'keep-alive')(`after a ${status}, when both were sent at once`, async () => {
        const remote = await open({ limits: { maxBodyBytes: 10_000 } })
        const client = await connect(remote)
        await client.send(Buffer.concat([requestOf(remote, sent), requestOf(remote, ORDER), requestOf(remote, sent)]))
        expect((await client.answer()).status).toBe(status)
        expect(await client.answer()).toMatchObject(AGAIN)
        expect((await client.answer()).status).toBe(status)
        expect((await remote.observed()).events).toHaveLength(2 * times + 1)
      })
    }

    needs('draining', 'keep-alive')('after a chunked body over the limit that came in one packet', async () => {
      const remote = await open({ limits: { maxBodyBytes: 1000 } })
      const client = await connect(remote)
      const chunks = Array.from({ length: 20 }, () => chunkOf('x'.repeat(400)))
      await client.send(Buffer.concat([Buffer.from(headOf(remote, endless)), ...chunks, chunkOf('')]))
      expect((await client.answer()).status).toBe(413)
      await client.send(requestOf(remote, ORDER))
      expect(await client.answer()).toMatchObject(AGAIN)
    })

    needs('keep-alive')('ten times', async () => {
      const remote = await open()
      const client = await connect(remote)
      for (let round = 0; round < 10; round += 1) {
        await client.send(requestOf(remote, ORDER))
        expect((await client.answer()).status).toBe(200)
      }
      expect((await remote.observed()).events).toHaveLength(10)
    })
  })
}

/** Returns whether everything could be sent: a sender that gets an error while it writes may never read the answer. */
async function sendMegabytes(client: RawClient, megabytes: number, chunked: boolean): Promise<boolean> {
  const piece = Buffer.alloc(64 * 1024, 'x')
  const bytes = chunked ? chunkOf(piece) : piece
  for (let sent = 0; sent < megabytes * MEGABYTE; sent += piece.length) {
    if (!(await client.send(bytes))) return false
  }
  return true
}

/**
 * The size of all buffers after a garbage collection. Sender and receiver share this process, and the sender keeps
 * nothing.
 */
function bytesInBuffers(): number {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  collect()
  return process.memoryUsage().arrayBuffers
}
