import { createReceiver, type Handler, type IdempotencyOptions, PermanentError, type WebhookEvent } from 'hooklayer'
import type { IdempotencyStore, Reservation } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, order, recordingLogger, rejection, SECRET } from '../deliveries.ts'

const PLACED = delivery('orders.place', CART)

/** A process with handlers by name. A list has handlers without names. */
function startProcess(
  handlers: Readonly<Record<string, Handler>> | readonly Handler[],
  idempotency: Partial<IdempotencyOptions> & Pick<IdempotencyOptions, 'store'>,
) {
  const { logger, lines } = recordingLogger()
  const receiver = createReceiver({ secrets: SECRET, logger, idempotency })
  for (const [name, handler] of Object.entries(handlers)) {
    receiver.on('orders.*', Array.isArray(handlers) ? {} : { name }, handler)
  }
  const deliver = async (request = PLACED) => {
    const { outcome, error } = JSON.parse((await receiver.receive(request)).body)
    return outcome ?? error.code
  }
  return { receiver, deliver, lines }
}

const calls = (...handlers: ReturnType<typeof vi.fn>[]) => handlers.map(({ mock }) => mock.calls.length)

describe('a handler with a name', () => {
  it('is not left out by a redelivery after it was added, and the others do not run again', async () => {
    const store = createMemoryStore()
    const [erp, mail] = [vi.fn(), vi.fn()]
    await startProcess({ erp }, { store }).deliver()
    const { receiver } = startProcess({ erp, mail }, { store })
    expect(await receiver.redeliver('orders.place', CART)).toBe('handled')
    expect(await receiver.redeliver('orders.place', CART)).toBe('duplicate')
    expect(calls(erp, mail)).toEqual([1, 1])
  })

  it('does not run again after a `PermanentError`: its part is done', async () => {
    const store = createMemoryStore()
    const mail = vi.fn(() => {
      throw new PermanentError('no address')
    })
    const { deliver } = startProcess({ mail, erp: () => {} }, { store })
    expect([await deliver(), await deliver()]).toEqual(['discarded', 'duplicate'])
    expect(calls(mail)).toEqual([1])
  })

  it('runs again after its name was changed', async () => {
    const store = createMemoryStore()
    const handler = vi.fn()
    await startProcess({ erp: handler }, { store }).deliver()
    expect(await startProcess({ sap: handler }, { store }).deliver()).toBe('handled')
    expect(calls(handler)).toEqual([2])
  })

  it('may hold NUL, which PostgreSQL could not store', async () => {
    const reserve = vi.fn(createMemoryStore().reserve)
    const { deliver, receiver } = startProcess({ 'e\0rp': () => {} }, { store: { ...createMemoryStore(), reserve } })
    await deliver()
    expect(reserve.mock.calls[0]?.[1].names).toEqual(['erp'])
    expect(() => receiver.on('orders.place', { name: 'erp' }, () => {})).toThrow("two handlers named 'erp'")
    expect(() => receiver.on('orders.place', { name: '\0' }, () => {})).toThrow('must be text')
  })

  it('does not run for an event that 0.1 has completed, of which there are no names', async () => {
    const store = createMemoryStore()
    const former: IdempotencyStore = {
      ...store,
      complete: (key, token, { retentionMs, version }) => store.complete(key, token, { retentionMs, version }),
    }
    await startProcess({ erp: () => {} }, { store: former }).deliver()
    expect(await startProcess({ mail: () => {} }, { store }).deliver()).toBe('duplicate')
  })

  it('is a duplicate as before with a store that does not know names', async () => {
    const store = createMemoryStore()
    const plain: IdempotencyStore = {
      ...store,
      reserve: (key, { leaseMs, version }) => store.reserve(key, { leaseMs, version }),
    }
    await startProcess({ erp: () => {} }, { store: plain }).deliver()
    const mail = vi.fn()
    expect(await startProcess({ mail }, { store: plain }).deliver()).toBe('duplicate')
    expect(calls(mail)).toEqual([0])
  })

  it('counts as done for an event that was skipped because it is stale', async () => {
    const store = createMemoryStore()
    const update = (second: number) =>
      delivery('orders.update', { data: order({ attributes: { updated_at: `2026-11-21T10:00:0${second}.000Z` } }) })
    const erp = vi.fn()
    const skipping = startProcess({ erp }, { store, stale: 'skip' })
    const outcomes = []
    for (const one of [update(2), update(1), update(1)]) outcomes.push(await skipping.deliver(one))
    expect(outcomes).toEqual(['handled', 'ignored', 'duplicate'])
    const mail = vi.fn()
    expect(await startProcess({ erp, mail }, { store }).deliver(update(1))).toBe('handled')
    expect(calls(erp, mail)).toEqual([1, 1])
  })
})

describe('handlers without a name', () => {
  it('do not run again after the event was completed, however many were added', async () => {
    const store = createMemoryStore()
    const [first, second] = [vi.fn(), vi.fn()]
    await startProcess([first], { store }).deliver()
    expect(await startProcess([first, second], { store }).deliver()).toBe('duplicate')
    expect(calls(first, second)).toEqual([1, 0])
  })
})

describe('a store that answers with an unknown state', () => {
  it.each([
    ['another state', { state: 'expired' }],
    ['no state', {}],
    ['nothing', undefined],
  ])('does not make the handlers run: %s is STORE_UNAVAILABLE', async (_, reservation) => {
    const reserve = async () => reservation as Reservation
    const handler = vi.fn()
    const store = { ...createMemoryStore(), reserve }
    expect(await startProcess({ handler }, { store }).deliver()).toBe('STORE_UNAVAILABLE')
    expect(calls(handler)).toEqual([0])
    expect(await startProcess({ handler }, { store, onStoreError: 'run' }).deliver()).toBe('handled')
  })
})

describe('a `key` that gives anything but text', () => {
  it.each([
    ['undefined', undefined],
    ['empty text', ''],
    ['a number', 7],
    ['null', null],
    ['a promise', Promise.resolve('key')],
    ['an object', { toString: () => 'key' }],
  ])('does not make different orders one: %s is answered 500', async (_, wrong) => {
    const handler = vi.fn()
    const key = () => wrong as string
    const { receiver, deliver, lines } = startProcess({ handler }, { store: createMemoryStore(), key })
    const answer = await receiver.receive(PLACED)
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([500, 'INTERNAL_ERROR'])
    expect(answer.body).not.toContain('key')
    expect(await deliver(delivery('orders.approve', CART))).toBe('INTERNAL_ERROR')
    expect(await rejection(receiver.redeliver('orders.place', CART))).toMatchObject({ hint: expect.any(String) })
    expect(JSON.stringify(lines)).toContain('`idempotency.key` must give text')
    expect(lines.map(({ message }) => message).join()).not.toContain(CART.data.id)
    expect(calls(handler)).toEqual([0])
  })

  it('does not keep the event reserved when it gives text only once', async () => {
    const store = createMemoryStore()
    let asked = 0
    const key = ({ resource }: WebhookEvent) => (asked++ === 0 ? resource.id : '')
    expect(await startProcess({ erp: () => {} }, { store, key }).deliver()).toBe('INTERNAL_ERROR')
    const right = ({ resource }: WebhookEvent) => resource.id
    expect(await startProcess({ erp: () => {} }, { store, key: right }).deliver()).toBe('handled')
  })
})
