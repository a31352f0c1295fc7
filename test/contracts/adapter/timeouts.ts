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

/** Senders whose body does not arrive in time. */
export function testTimeouts({ open, needs }: Host): void {
  describe('times out', () => {
    const test = needs('streamed bodies')

    for (const [what, length] of LATE) {
      test(`with 408 on a body that ${what}`, async () => {
        const remote = await open({ limits: { bodyTimeoutMs: 200 } })
        const client = await connect(remote)
        await client.send(headOf(remote, announced))
        await client.send(ORDER.body.subarray(0, length))
        const begin = performance.now()
        await expectTimeout(client)
        expect(performance.now() - begin).toBeLessThan(1500)
        client.reset()
        const { events, errors } = await remote.observed()
        expect([events, errors]).toEqual([[], ['BODY_TIMEOUT']])
      })
    }

    test('with 408 on a body whose bytes come one by one', async () => {
      const remote = await open({ limits: { bodyTimeoutMs: 200 } })
      const client = await connect(remote)
      await client.send(headOf(remote, chunked))
      const trickled = trickle(client, chunkOf('x'))
      await expectTimeout(client)
      client.reset()
      await trickled
      expect((await remote.observed()).errors).toEqual(['BODY_TIMEOUT'])
    })

    test('with 408 on a body that is later than `deadlineMs`, whatever `bodyTimeoutMs` is', async () => {
      const remote = await open({ limits: { deadlineMs: 200 } })
      const client = await connect(remote)
      await client.send(headOf(remote, announced))
      await expectTimeout(client)
      client.reset()
      expect((await remote.observed()).errors).toEqual(['BODY_TIMEOUT'])
    })

    needs('streamed bodies', 'closing after a timeout')('and closes the connection of such a body', async () => {
      const remote = await open({ limits: { bodyTimeoutMs: 200 } })
      const client = await connect(remote)
      await client.send(headOf(remote, chunked))
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
