import { describe, expect, it, vi } from 'vitest'
import { orderText, signed } from './deliveries.ts'
import { createHold, type Stage, send, wait } from './scene.ts'

/** Many deliveries at once. */
export function testLoad({ serve }: Stage): void {
  describe('under load', () => {
    it('handles each of 200 deliveries that come at once, exactly once', async () => {
      const { receiver, url, errors } = await serve()
      const seen: string[] = []
      receiver.on('orders.place', async ({ resource }) => {
        await wait(10)
        seen.push(resource.id)
      })
      const ids = Array.from({ length: 200 }, (_, number) => `order${number}`)
      const answers = await Promise.all(ids.map((id) => send(url, signed('orders.place', orderText({ id })))))
      expect(answers.map(({ text }) => text)).toEqual(ids.map(() => '{"outcome":"handled"}'))
      expect(seen.toSorted()).toEqual(ids.toSorted())
      expect(errors).toEqual([])
    })

    it('keeps the bodies of deliveries apart that come at once', async () => {
      const { receiver, url } = await serve()
      const names: unknown[] = []
      receiver.on('orders.place', ({ resource }) => names.push([resource.id, resource.customer?.metadata?.name]))
      const ids = Array.from({ length: 30 }, (_, number) => `order${number}`)
      await Promise.all(
        ids.map((id) => send(url, signed('orders.place', orderText({ id, name: `${id} 🛒`, padding: 100_000 })))),
      )
      expect(new Set(names)).toEqual(new Set(ids.map((id) => [id, `${id} 🛒`])))
    })

    it('answers 503 over `maxInFlight`, and takes deliveries again afterwards', async () => {
      const { receiver, url, errors } = await serve({ maxInFlight: 1 })
      const hold = createHold()
      let handled = 0
      receiver.on('orders.place', async () => {
        handled += 1
        await hold.opened
      })
      const order = signed('orders.place', orderText())
      const first = send(url, order)
      await vi.waitFor(() => expect(handled).toBe(1))
      const second = await send(url, order)
      expect([second.status, second.body.error.code, second.headers['retry-after']]).toEqual([503, 'OVERLOADED', '5'])
      hold.open()
      expect((await first).status).toBe(200)
      expect((await send(url, order)).status).toBe(200)
      expect([handled, errors]).toEqual([2, ['OVERLOADED']])
    })
  })
}
