import { describe, expect, it } from 'vitest'
import { waitFor } from '../../wait-for.ts'
import { HANDLED, ORDER, UNSIGNED } from './deliveries.ts'
import { type RemoteReceiver, wait } from './harness.ts'
import type { Host } from './host.ts'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'

const DISCONNECTS: readonly (readonly [string, (client: RawClient) => void])[] = [
  ['with a reset', (client) => client.reset()],
  ['with an orderly end', (client) => client.end()],
]

const BEGUN: readonly (readonly [string, (remote: RemoteReceiver) => Uint8Array])[] = [
  ['with a length', (remote) => requestOf(remote, ORDER).subarray(0, -10)],
  [
    'in chunks',
    (remote) =>
      Buffer.concat([Buffer.from(headOf(remote, { ...ORDER.headers, 'transfer-encoding': 'chunked' })), chunkOf('{')]),
  ],
]

/** Senders that disconnect before they have the answer. */
export function testDisconnects({ open, needs }: Host): void {
  describe('when the sender disconnects', () => {
    for (const [how, disconnect] of DISCONNECTS) {
      it(`${how} in the middle of the body, dispatches nothing and serves the next sender`, async () => {
        const remote = await open()
        const client = await connect(remote)
        await client.send(requestOf(remote, ORDER).subarray(0, -10))
        await wait(30)
        disconnect(client)
        await expectNextSenderServed(remote)
        client.reset()
        const { events, errors } = await remote.observed()
        expect([events.length, errors.filter((code) => code !== 'BODY_ABORTED')]).toEqual([1, []])
      })

      for (const [what, begin] of BEGUN) {
        const test = needs('streamed bodies', 'disconnects')
        test(`${how} in the middle of a body ${what}, calls \`onError\` and frees its place`, async () => {
          const remote = await open({ limits: { maxInFlight: 1 } })
          const client = await connect(remote)
          await client.send(begin(remote))
          await wait(30)
          disconnect(client)
          await waitFor(async () => expect((await remote.observed()).errors).toEqual(['BODY_ABORTED']))
          await expectNextSenderServed(remote)
          client.reset()
        })
      }
    }

    it('in the middle of a chunked body, dispatches nothing even if a whole order has arrived', async () => {
      const remote = await open()
      const client = await connect(remote)
      await client.send(headOf(remote, { ...ORDER.headers, 'transfer-encoding': 'chunked' }))
      await client.send(chunkOf(ORDER.body))
      await wait(30)
      client.reset()
      await wait(100)
      expect((await remote.observed()).events).toEqual([])
    })

    needs('running on')('while the handler runs, lets it finish', async () => {
      const remote = await open({ handler: 'waits to be released' })
      const client = await connect(remote)
      await client.send(requestOf(remote, ORDER))
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      client.reset()
      await wait(30)
      await remote.release()
      await waitFor(async () => expect((await remote.observed()).ended).toBe(1))
      await expectNextSenderServed(remote)
      expect((await remote.observed()).errors).toEqual([])
    })

    needs('streamed bodies')('after an early answer, before the rest of the body, serves the next sender', async () => {
      const remote = await open()
      const client = await connect(remote)
      await client.send(headOf(remote, { ...UNSIGNED.headers, 'content-length': '1000' }))
      expect((await client.answer()).status).toBe(401)
      client.reset()
      await wait(30)
      await expectNextSenderServed(remote)
      expect((await remote.observed()).errors).toEqual(['SIGNATURE_MISSING'])
    })
  })
}

export async function expectNextSenderServed(remote: RemoteReceiver): Promise<void> {
  const next = await connect(remote)
  await next.send(requestOf(remote, ORDER))
  expect(await next.answer()).toMatchObject({ status: 200, body: HANDLED })
  next.reset()
}
