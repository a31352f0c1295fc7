import { describe, expect, it } from 'vitest'
import { signed as signatureOf } from '../../deliveries.ts'
import { waitFor } from '../../wait-for.ts'
import { HANDLED, ORDER } from './deliveries.ts'
import { digestOf, type RemoteReceiver, wait } from './harness.ts'
import type { Host } from './host.ts'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'
import { SECRETS } from './secrets.ts'

const MEGABYTE = 1024 * 1024
const length = String(ORDER.body.length)

/** Requests as they are on the connection, sent byte by byte by a client that adds nothing of its own. */
export function testConnections({ open, needs }: Host): void {
  describe('reads', () => {
    it('a character that is split over two packets', async () => {
      const remote = await open()
      const client = await connect(remote)
      const bytes = requestOf(remote, ORDER)
      const middle = bytes.indexOf('🛒') + 2
      await client.send(bytes.subarray(0, middle))
      await wait(50)
      await client.send(bytes.subarray(middle))
      await expectHandled(remote, client)
    })

    it('a request that comes in packets of seven bytes', async () => {
      const remote = await open()
      const client = await connect(remote)
      const bytes = requestOf(remote, ORDER)
      for (let at = 0; at < bytes.length; at += 7) await client.send(bytes.subarray(at, at + 7))
      await expectHandled(remote, client)
    })

    it('a chunked body with a trailer, a character split over two chunks', async () => {
      const remote = await open()
      const client = await connect(remote)
      const middle = Buffer.from(ORDER.body).indexOf('🛒') + 1
      await client.send(headOf(remote, { ...ORDER.headers, 'transfer-encoding': 'chunked', trailer: 'x-checksum' }))
      await client.send(chunkOf(ORDER.body.subarray(0, middle)))
      await wait(20)
      await client.send(chunkOf(ORDER.body.subarray(middle)))
      await client.send('0\r\nx-checksum: 1\r\n\r\n')
      await expectHandled(remote, client)
    })

    it('headers whose names are in capitals', async () => {
      const remote = await open()
      const client = await connect(remote)
      const capitals = Object.entries(ORDER.headers).map(([name, value]) => `${name.toUpperCase()}: ${value}`)
      await client.send(headOf(remote, [...capitals, `CONTENT-LENGTH: ${length}`]))
      await client.send(ORDER.body)
      await expectHandled(remote, client)
    })

    it('a body that is slow, but arrives in time', async () => {
      const remote = await open({ limits: { bodyTimeoutMs: 1000 } })
      const client = await connect(remote)
      const bytes = requestOf(remote, ORDER)
      const step = Math.ceil(bytes.length / 5)
      for (let at = 0; at < bytes.length; at += step) {
        await client.send(bytes.subarray(at, at + step))
        await wait(40)
      }
      await expectHandled(remote, client)
    })

    it('a body whose sender waits for `100 Continue`', async () => {
      const remote = await open()
      const client = await connect(remote)
      await client.send(headOf(remote, { ...ORDER.headers, 'content-length': length, expect: '100-continue' }))
      await wait(30)
      await client.send(ORDER.body)
      await expectHandled(remote, client)
    })
  })

  describe('refuses', () => {
    const signature = signatureOf(ORDER.body, SECRETS['orders.place'])
    const fields = [`Content-Length: ${length}`, 'X-CommerceLayer-Topic: orders.place']
    const refused: readonly (readonly [string, readonly [string, string], number, string])[] = [
      ['a signature that is sent twice', ['X-CommerceLayer-Signature', signature], 401, 'SIGNATURE_MISMATCH'],
      ['a topic that is sent twice', ['X-CommerceLayer-Topic', 'orders.place'], 400, 'TOPIC_INVALID'],
      ['a signature that is not ASCII', ['x-commercelayer-signature', 'sïgnåture'], 401, 'SIGNATURE_MISMATCH'],
    ]
    for (const [what, [name, value], status, code] of refused) {
      needs('repeated headers')(what, async () => {
        const remote = await open()
        const client = await connect(remote)
        await client.send(headOf(remote, [...fields, `X-CommerceLayer-Signature: ${signature}`, `${name}: ${value}`]))
        await client.send(ORDER.body)
        const answer = await client.answer()
        expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([status, code])
        expect((await remote.observed()).events).toEqual([])
      })
    }

    const early = needs('streamed bodies')

    early('a body that is announced as too large, before any of it was sent', async () => {
      const remote = await open({ limits: { maxBodyBytes: MEGABYTE } })
      const client = await connect(remote)
      await client.send(headOf(remote, { ...ORDER.headers, 'content-length': String(MEGABYTE + 1) }))
      const answer = await client.answer()
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([413, 'BODY_TOO_LARGE'])
      expect(answer.headers['content-type']).toMatch(/^application\/json/)
      expect((await remote.observed()).errors).toEqual(['BODY_TOO_LARGE'])
      client.reset()
    })

    early('a delivery over `maxInFlight`, before any of its body was sent', async () => {
      const remote = await open({ handler: 'waits to be released', limits: { maxInFlight: 1 } })
      const [first, second] = [await connect(remote), await connect(remote)]
      await first.send(requestOf(remote, ORDER))
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      await second.send(headOf(remote, { ...ORDER.headers, 'content-length': length }))
      const answer = await second.answer()
      expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([503, 'OVERLOADED'])
      await remote.release()
      expect(await first.answer()).toMatchObject({ status: 200, body: HANDLED })
      expect((await remote.observed()).ended).toBe(1)
      second.reset()
    })
  })
}

async function expectHandled(remote: RemoteReceiver, client: RawClient): Promise<void> {
  expect(await client.answer()).toMatchObject({ status: 200, body: HANDLED })
  expect((await remote.observed()).events.map(({ sha256 }) => sha256)).toEqual([digestOf(ORDER.body)])
}
