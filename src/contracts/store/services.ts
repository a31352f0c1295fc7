import { randomUUID } from 'node:crypto'
import { createReceiver, type Receiver } from 'hooklayer'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { expect, it, vi } from 'vitest'
import type { Connections } from './reservations.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A receiver of a service. An empty name registers a handler without one. */
function createService(store: IdempotencyStore, handlers: Readonly<Record<string, () => unknown>>): Receiver {
  const receiver = createReceiver({ secrets: TEST_SECRET, logger: silent, idempotency: { store } })
  for (const [name, handler] of Object.entries(handlers)) receiver.on('orders.place', name ? { name } : {}, handler)
  return receiver
}

async function createEvent(): Promise<(receiver: Receiver) => Promise<string>> {
  const delivery = await createDelivery('orders.place', { resource: { number: randomUUID() } })
  return async (receiver) => {
    const { outcome, error } = JSON.parse((await receiver.receive(delivery)).body)
    return outcome ?? error.code
  }
}

export function testServices(connection: Connections): void {
  it('does not answer `duplicate` to a second service whose named handler never ran', async () => {
    const [erp, mail] = [vi.fn(), vi.fn()]
    const first = createService(connection(0), { erp })
    const second = createService(connection(1), { mail })
    const deliver = await createEvent()
    const outcomes = [await deliver(first), await deliver(second), await deliver(first), await deliver(second)]
    expect(outcomes).toEqual(['handled', 'handled', 'duplicate', 'duplicate'])
    expect([erp, mail].map(({ mock }) => mock.calls.length)).toEqual([1, 1])
  })

  it('does not run the handlers of before when one with a name is added, but only that', async () => {
    const [erp, unnamed, mail] = [vi.fn(), vi.fn(), vi.fn()]
    const before = createService(connection(0), { erp, '': unnamed })
    const after = createService(connection(1), { erp, '': unnamed, mail })
    const deliver = await createEvent()
    expect([await deliver(before), await deliver(after), await deliver(after)]).toEqual([
      'handled',
      'handled',
      'duplicate',
    ])
    expect([erp, unnamed, mail].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1])
    expect(await deliver(before)).toBe('duplicate')
  })

  it('does not forget what was done when an added handler fails', async () => {
    const [erp, mail] = [vi.fn(), vi.fn().mockRejectedValueOnce(new Error('SMTP'))]
    const deliver = await createEvent()
    await deliver(createService(connection(0), { erp }))
    const after = createService(connection(1), { erp, mail })
    expect([await deliver(after), await deliver(createService(connection(2), { erp }))]).toEqual([
      'HANDLER_FAILED',
      'duplicate',
    ])
    expect([await deliver(after), await deliver(after)]).toEqual(['handled', 'duplicate'])
    expect([erp, mail].map(({ mock }) => mock.calls.length)).toEqual([1, 2])
  })
}
