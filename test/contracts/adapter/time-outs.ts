import { describe, expect } from 'vitest'
import { ORDER } from './deliveries.ts'
import type { Host } from './host.ts'
import { chunkOf, connect, headOf, type RawClient, trickle } from './raw-client.ts'

const announced = { ...ORDER.headers, 'content-length': String(ORDER.body.length) }
const chunked = { ...ORDER.headers, 'transfer-encoding': 'chunked' }

const LATE: readonly (readonly [string, number])[] = [
  ['never comes', 0],
  ['stops coming', 100],
  ['lacks its last byte', ORDER.body.length - 1],
]

/** What a sender gets that does not get on with it. */
export function testTimeOuts({ open, needs }: Host): void {
  describe('is not patient for ever', () => {
    const patient = needs('bodies on their way')

    for (const [what, length] of LATE) {
      patient(`with a body that ${what}: 408`, async () => {
        const scene = await open({ limits: { bodyTimeoutMs: 200 } })
        const client = await connect(scene)
        await client.send(headOf(scene, announced))
        await client.send(ORDER.body.subarray(0, length))
        const begin = performance.now()
        await expectTimeout(client)
        expect(performance.now() - begin).toBeLessThan(1500)
        client.reset()
        const { events, errors } = await scene.seen()
        expect([events, errors]).toEqual([[], ['BODY_TIMEOUT']])
      })
    }

    patient('with a body of which a byte comes now and then: 408', async () => {
      const scene = await open({ limits: { bodyTimeoutMs: 200 } })
      const client = await connect(scene)
      await client.send(headOf(scene, chunked))
      const trickled = trickle(client, chunkOf('x'))
      await expectTimeout(client)
      client.reset()
      await trickled
      expect((await scene.seen()).errors).toEqual(['BODY_TIMEOUT'])
    })

    patient('with a body that is later than `deadlineMs`, whatever `bodyTimeoutMs` says: 408', async () => {
      const scene = await open({ limits: { deadlineMs: 200 } })
      const client = await connect(scene)
      await client.send(headOf(scene, announced))
      await expectTimeout(client)
      client.reset()
      expect((await scene.seen()).errors).toEqual(['BODY_TIMEOUT'])
    })

    needs('bodies on their way', 'hanging up')('and closes the connection of such a body', async () => {
      const scene = await open({ limits: { bodyTimeoutMs: 200 } })
      const client = await connect(scene)
      await client.send(headOf(scene, chunked))
      const trickled = trickle(client, chunkOf('x'))
      expect((await client.answer()).headers.connection).toBe('close')
      await client.closed
      await trickled
    })
  })
}

async function expectTimeout(client: RawClient): Promise<void> {
  const answer = await client.answer()
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([408, 'BODY_TIMEOUT'])
  expect(answer.headers['content-type']).toMatch(/^application\/json/)
}
