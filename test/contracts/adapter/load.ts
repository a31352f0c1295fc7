import { describe, expect, it, vi } from 'vitest'
import { HANDLED, ORDER, orderText, sentAs } from './deliveries.ts'
import { send } from './harness.ts'
import type { Host } from './host.ts'

const numbered = (length: number) => Array.from({ length }, (_, number) => `order${number}`)

/** Many deliveries at once. */
export function testLoad({ open }: Host): void {
  describe('under load', () => {
    it('handles each of 200 deliveries that come at once, exactly once', async () => {
      const scene = await open({ handler: 'takes a moment' })
      const ids = numbered(200)
      const answers = await Promise.all(ids.map((id) => send(scene, sentAs('orders.place', orderText({ id })))))
      expect(answers.map(({ text }) => text)).toEqual(ids.map(() => HANDLED))
      const { events, ended, errors } = await scene.seen()
      expect(events.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
      expect([ended, errors]).toEqual([200, []])
    })

    it('keeps the bodies of deliveries apart that come at once', async () => {
      const scene = await open()
      const ids = numbered(30)
      const text = (id: string) => orderText({ id, name: `${id} 🛒`, padding: 100_000 })
      await Promise.all(ids.map((id) => send(scene, sentAs('orders.place', text(id)))))
      const { events } = await scene.seen()
      expect(events.map(({ id, name }) => [id, name]).toSorted()).toEqual(ids.map((id) => [id, `${id} 🛒`]).toSorted())
    })

    it('answers 503 over `maxInFlight`, and takes deliveries again afterwards', async () => {
      const scene = await open({ handler: 'waits to be released', limits: { maxInFlight: 1 } })
      const first = send(scene, ORDER)
      await vi.waitFor(async () => expect((await scene.seen()).events).toHaveLength(1))
      const second = await send(scene, ORDER)
      expect([second.status, second.body.error.code, second.headers['retry-after']]).toEqual([503, 'OVERLOADED', '5'])
      await scene.release()
      expect((await first).status).toBe(200)
      expect((await send(scene, ORDER)).status).toBe(200)
      const { ended, errors } = await scene.seen()
      expect([ended, errors]).toEqual([2, ['OVERLOADED']])
    })
  })
}
