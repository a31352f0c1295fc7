import { createDelivery } from 'hooklayer/testing'
import { describe, expect, it, vi } from 'vitest'
import { EXAMPLE_SECRET, runScript, startServer } from './child.ts'
import { hangUpOn } from './hang-ups.ts'
import { useShop } from './shop.ts'

/** The handler takes a second and a lease five; a busy machine adds to both. */
const SOON = { timeout: 30_000, interval: 50 }

/** A receiver with an inbox in a file: no delivery is lost when it is stopped or killed. */
describe.concurrent('examples, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop('durable')

  it('durable survives hang-ups, answers before it handles an order, and refuses a forged one', async () => {
    const folder = shop.copyOf('durable')
    const server = await startServer(folder)
    try {
      await hangUpOn(server.port)
      expect(await runScript(folder, 'deliver', server)).toBe('202 {"outcome":"queued"}')
      expect(await runScript(folder, 'deliver', { ...server, args: ['a-guess'] })).toMatch(/^401 /)
      await vi.waitFor(() => expect(server.output()).toContain('The ERP has order'), SOON)
    } finally {
      server.process.kill('SIGKILL')
    }
  })

  it('durable ends on SIGTERM after the running handler has finished', async () => {
    const server = await startServer(shop.copyOf('durable'))
    try {
      expect(await deliver(server.port, 'A1')).toBe(202)
      await vi.waitFor(() => expect(server.output()).toContain('placed order A1'), SOON)
      server.process.kill('SIGTERM')
      expect(await server.ended).toBe(0)
      expect(server.output()).toContain('The ERP has order A1')
    } finally {
      server.process.kill('SIGKILL')
    }
  })

  it('durable handles after a SIGKILL what it had answered before', async () => {
    const folder = shop.copyOf('durable')
    const first = await startServer(folder)
    const answers = await Promise.all(['B1', 'B2', 'B3'].map((number) => deliver(first.port, number)))
    first.process.kill('SIGKILL')
    expect(answers).toEqual([202, 202, 202])
    expect(await first.ended).toBe('SIGKILL')
    const second = await startServer(folder)
    try {
      for (const number of ['B1', 'B2', 'B3']) {
        expect(first.output()).not.toContain(`has order ${number}`)
        await vi.waitFor(() => expect(second.output()).toContain(`has order ${number}`), SOON)
      }
    } finally {
      second.process.kill('SIGKILL')
    }
  })
})

async function deliver(port: number, number: string): Promise<number> {
  const delivery = await createDelivery('orders.place', { secret: EXAMPLE_SECRET, resource: { number } })
  const { status } = await fetch(`http://localhost:${port}/webhooks`, delivery)
  return status
}
