import { describe, expect, it, vi } from 'vitest'
import { HANDLED, ORDER, UNSIGNED } from './deliveries.ts'
import { type Scene, wait } from './harness.ts'
import type { Host } from './host.ts'
import { chunkOf, connect, headOf, type RawClient, requestOf } from './raw-client.ts'

const HANG_UPS: readonly (readonly [string, (client: RawClient) => void])[] = [
  ['without a word', (client) => client.reset()],
  ['politely', (client) => client.end()],
]

const BEGUN: readonly (readonly [string, (scene: Scene) => Uint8Array])[] = [
  ['with a length', (scene) => requestOf(scene, ORDER).subarray(0, -10)],
  [
    'in chunks',
    (scene) =>
      Buffer.concat([Buffer.from(headOf(scene, { ...ORDER.headers, 'transfer-encoding': 'chunked' })), chunkOf('{')]),
  ],
]

/** Senders that do not wait for the answer. */
export function testHangUps({ open, needs }: Host): void {
  describe('when the sender hangs up', () => {
    for (const [how, hangUp] of HANG_UPS) {
      it(`${how} in the middle of the body, dispatches nothing and serves on`, async () => {
        const scene = await open()
        const client = await connect(scene)
        await client.send(requestOf(scene, ORDER).subarray(0, -10))
        await wait(30)
        hangUp(client)
        await expectServesOn(scene)
        client.reset()
        const { events, errors } = await scene.seen()
        expect([events.length, errors.filter((code) => code !== 'BODY_ABORTED')]).toEqual([1, []])
      })

      for (const [what, begin] of BEGUN) {
        const test = needs('bodies on their way', 'hang-ups')
        test(`${how} in the middle of a body ${what}, tells \`onError\` and gives its place away`, async () => {
          const scene = await open({ limits: { maxInFlight: 1 } })
          const client = await connect(scene)
          await client.send(begin(scene))
          await wait(30)
          hangUp(client)
          await vi.waitFor(async () => expect((await scene.seen()).errors).toEqual(['BODY_ABORTED']))
          await expectServesOn(scene)
          client.reset()
        })
      }
    }

    it('in the middle of a chunked body, dispatches nothing even if what came was a whole order', async () => {
      const scene = await open()
      const client = await connect(scene)
      await client.send(headOf(scene, { ...ORDER.headers, 'transfer-encoding': 'chunked' }))
      await client.send(chunkOf(ORDER.body))
      await wait(30)
      client.reset()
      await wait(100)
      expect((await scene.seen()).events).toEqual([])
    })

    needs('steadfastness')('while the handler runs, lets it end', async () => {
      const scene = await open({ handler: 'waits to be released' })
      const client = await connect(scene)
      await client.send(requestOf(scene, ORDER))
      await vi.waitFor(async () => expect((await scene.seen()).events).toHaveLength(1))
      client.reset()
      await wait(30)
      await scene.release()
      await vi.waitFor(async () => expect((await scene.seen()).ended).toBe(1))
      await expectServesOn(scene)
      expect((await scene.seen()).errors).toEqual([])
    })

    needs('bodies on their way')('after an early answer, before the rest of the body, serves on', async () => {
      const scene = await open()
      const client = await connect(scene)
      await client.send(headOf(scene, { ...UNSIGNED.headers, 'content-length': '1000' }))
      expect((await client.answer()).status).toBe(401)
      client.reset()
      await wait(30)
      await expectServesOn(scene)
      expect((await scene.seen()).errors).toEqual(['SIGNATURE_MISSING'])
    })
  })
}

async function expectServesOn(scene: Scene): Promise<void> {
  const next = await connect(scene)
  await next.send(requestOf(scene, ORDER))
  expect(await next.answer()).toMatchObject({ status: 200, body: HANDLED })
  next.reset()
}
