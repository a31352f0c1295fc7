import { describe, expect, it } from 'vitest'
import { waitFor } from '../../wait-for.ts'
import { HANDLED, ORDER, orderText, sentAs } from './deliveries.ts'
import { send } from './harness.ts'
import type { Host } from './host.ts'

const numbered = (length: number) => Array.from({ length }, (_, number) => `order${number}`)

/** Longer than a busy machine takes for all of them. */
const LONG_TIMEOUTS = { deadlineMs: 60_000, bodyTimeoutMs: 60_000 }

/** Many deliveries at once. */
export function testLoad({ open }: Host): void {
  describe('under load', () => {
    it('handles each of 200 deliveries that come at once, exactly once', async () => {
      const remote = await open({ handler: 'takes a moment', limits: LONG_TIMEOUTS })
      const ids = numbered(200)
      const answers = await Promise.all(ids.map((id) => send(remote, sentAs('orders.place', orderText({ id })))))
      expect(answers.map(({ text }) => text)).toEqual(ids.map(() => HANDLED))
      const { events, ended, errors } = await remote.observed()
      expect(events.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
      expect([ended, errors]).toEqual([200, []])
    })

    it('does not mix up the bodies of deliveries that come at once', async () => {
      const remote = await open({ limits: LONG_TIMEOUTS })
      const ids = numbered(30)
      const text = (id: string) => orderText({ id, name: `${id} 🛒`, padding: 100_000 })
      await Promise.all(ids.map((id) => send(remote, sentAs('orders.place', text(id)))))
      const { events } = await remote.observed()
      expect(events.map(({ id, name }) => [id, name]).toSorted()).toEqual(ids.map((id) => [id, `${id} 🛒`]).toSorted())
    })

    it('answers 503 over `maxInFlight`, and takes deliveries again afterwards', async () => {
      const remote = await open({ handler: 'waits to be released', limits: { maxInFlight: 1 } })
      const first = send(remote, ORDER)
      await waitFor(async () => expect((await remote.observed()).events).toHaveLength(1))
      const second = await send(remote, ORDER)
      expect([second.status, second.body.error.code, second.headers['retry-after']]).toEqual([503, 'OVERLOADED', '5'])
      await remote.release()
      expect((await first).status).toBe(200)
      expect((await send(remote, ORDER)).status).toBe(200)
      const { ended, errors } = await remote.observed()
      expect([ended, errors]).toEqual([2, ['OVERLOADED']])
    })
  })
}
