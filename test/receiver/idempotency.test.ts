import { setTimeout as sleep } from 'node:timers/promises'
import {
  createReceiver,
  type Handler,
  type IdempotencyOptions,
  PermanentError,
  type Receiver,
  type ReceiverOptions,
  type WebhookEvent,
} from 'hooklayer'
import type { IdempotencyStore, WebhookResponse } from 'hooklayer/drivers'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import { CART, delivery, nested, order, recordingLogger, rejection, SECRET } from '../deliveries.ts'
import { waitFor } from '../wait-for.ts'

const PLACED = delivery('orders.place', CART)

interface Process {
  readonly receiver: Receiver
  readonly messages: () => string[]
  /** Delivers a request, and gives the outcome or the error code of the answer. */
  deliver(request?: typeof PLACED): Promise<string>
}

/** A receiver with an idempotency store. Several receivers on one store stand for several processes of a shop. */
function startProcess(
  handlers: readonly Handler[],
  idempotency: Partial<IdempotencyOptions> = {},
  options: Partial<ReceiverOptions> = {},
): Process {
  const { logger, messages } = recordingLogger()
  const store = idempotency.store ?? createMemoryStore()
  const receiver = createReceiver({
    secrets: () => SECRET,
    logger,
    idempotency: { leaseMs: 30_000, ...idempotency, store },
    ...options,
  })
  for (const handler of handlers) receiver.on('orders.*', handler)
  return { receiver, messages, deliver: async (request = PLACED) => readCode(await receiver.receive(request)) }
}

function readCode({ body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return outcome ?? error.code
}

/** A store with some of its methods replaced. */
function storeWith(changes: Partial<IdempotencyStore>, store = createMemoryStore()): IdempotencyStore {
  return {
    reserve: (...args) => store.reserve(...args),
    renew: (...args) => store.renew(...args),
    complete: (...args) => store.complete(...args),
    release: (...args) => store.release(...args),
    ...changes,
  }
}

const refuse = () => Promise.reject(new Error('connection refused'))
const hang = () => new Promise<never>(() => {})

function createOrderUpdate(updatedAt: string, id = 'NrlYhpzLKA') {
  return delivery('orders.update', { data: order({ id, attributes: { updated_at: updatedAt } }) })
}

describe('an event that is delivered again', () => {
  it('is handled once, and its duplicates are acknowledged', async () => {
    const handler = vi.fn()
    const { deliver } = startProcess([handler])
    expect([await deliver(), await deliver(), await deliver()]).toEqual(['handled', 'duplicate', 'duplicate'])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is recognized by its content, however its JSON is written', async () => {
    const handler = vi.fn()
    const { deliver, receiver } = startProcess([handler])
    await deliver()
    expect(await deliver(delivery('orders.place', `${JSON.stringify(CART)}\n`))).toBe('duplicate')
    expect(await receiver.redeliver('orders.place', CART)).toBe('duplicate')
    expect(await deliver(delivery('orders.pay', CART))).toBe('handled')
    expect(await deliver(delivery('orders.place', { data: order() }))).toBe('handled')
    expect(handler).toHaveBeenCalledTimes(3)
  })

  it('can be recognized by a custom key', async () => {
    const key = ({ topic, resource }: WebhookEvent) => `${topic} ${resource.id}`
    const { deliver } = startProcess([() => {}], { key })
    await deliver()
    expect(await deliver(delivery('orders.place', { data: order() }))).toBe('duplicate')
  })

  it('is recognized by its bytes when it has no canonical form', async () => {
    const { deliver } = startProcess([() => {}])
    const deep = delivery('orders.place', nested(600))
    expect([await deliver(deep), await deliver(deep)]).toEqual(['handled', 'duplicate'])
  })

  it('waits while it is being handled, and is answered 409 if that takes long', async () => {
    let finish = () => {}
    const handler = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const { deliver, receiver } = startProcess([handler], {}, { deadlineMs: 30_000 })
    const first = deliver()
    await waitFor(() => expect(handler).toHaveBeenCalled())
    const startedAt = performance.now()
    const second = await receiver.receive(PLACED)
    expect([second.status, readCode(second)]).toEqual([409, 'IN_PROGRESS'])
    expect(performance.now() - startedAt).toBeGreaterThan(1900)
    const third = deliver()
    finish()
    expect([await first, await third, await deliver()]).toEqual(['handled', 'duplicate', 'duplicate'])
  })

  it('waits for half of what is left of its deadline at most', async () => {
    const handler = vi.fn(() => sleep(2100))
    const { deliver } = startProcess([handler], {}, { deadlineMs: 2000 })
    const first = deliver()
    await waitFor(() => expect(handler).toHaveBeenCalled())
    const startedAt = performance.now()
    expect(await deliver()).toBe('IN_PROGRESS')
    expect(performance.now() - startedAt).toBeLessThan(1800)
    expect(await first).toBe('DEADLINE_EXCEEDED')
  })

  it('does not wait where there is no deadline, as in a worker', async () => {
    let finish = () => {}
    const handler = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const { deliver, receiver } = startProcess([handler])
    const first = deliver()
    await waitFor(() => expect(handler).toHaveBeenCalled())
    const startedAt = performance.now()
    const stored = { topic: PLACED.headers['x-commercelayer-topic'] ?? '', body: PLACED.body, receivedAt: new Date() }
    await expect(receiver.handleStored(stored)).rejects.toMatchObject({ code: 'IN_PROGRESS' })
    expect(performance.now() - startedAt).toBeLessThan(1000)
    finish()
    expect(await first).toBe('handled')
  })

  it('runs the handlers that failed while it waited', async () => {
    const good = vi.fn()
    const bad = vi.fn().mockImplementationOnce(() => sleep(100).then(() => Promise.reject(new Error('database'))))
    const { deliver } = startProcess([good, bad])
    expect(await Promise.all([deliver(), deliver()])).toEqual(['HANDLER_FAILED', 'handled'])
    expect([good, bad].map((handler) => handler.mock.calls.length)).toEqual([1, 2])
  })

  it('waits in one place only, however often it is repeated', async () => {
    let finish = () => {}
    const handler = vi.fn(() => new Promise<void>((resolve) => (finish = resolve)))
    const { deliver } = startProcess([handler], {}, { maxInFlight: 3 })
    const first = deliver()
    await waitFor(() => expect(handler).toHaveBeenCalled())
    const waiting = deliver()
    for (let i = 0; i < 20; i += 1) expect(await deliver()).toBe('IN_PROGRESS')
    finish()
    expect([await first, await waiting]).toEqual(['handled', 'duplicate'])
  })

  it('is handled once by many processes at the same time', async () => {
    const store = createMemoryStore()
    const handler = vi.fn(() => sleep(20))
    const processes = Array.from({ length: 8 }, () => startProcess([handler], { store }))
    const answers = await Promise.all(processes.flatMap(({ deliver }) => [deliver(), deliver(), deliver()]))
    expect(handler).toHaveBeenCalledTimes(1)
    expect(answers.filter((answer) => answer === 'handled')).toHaveLength(1)
    // Of each process one waits.
    expect(answers.filter((answer) => answer === 'duplicate')).toHaveLength(8)
    expect(answers.filter((answer) => answer === 'IN_PROGRESS')).toHaveLength(15)
  })

  it('is not reserved when no handler is registered for it', async () => {
    const reserve = vi.fn(refuse)
    const { deliver } = startProcess([], { store: storeWith({ reserve }) })
    expect(await deliver()).toBe('ignored')
    expect(reserve).not.toHaveBeenCalled()
  })

  it('is handled once when its handler throws a PermanentError', async () => {
    const handler = vi.fn(() => {
      throw new PermanentError('no address')
    })
    const { deliver } = startProcess([handler])
    expect([await deliver(), await deliver()]).toEqual(['discarded', 'duplicate'])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is handled again after `retentionMs`', async () => {
    const { deliver } = startProcess([() => {}], { retentionMs: 30 })
    await deliver()
    await sleep(60)
    expect(await deliver()).toBe('handled')
  })

  it('is handled once in the background', async () => {
    const handler = vi.fn()
    const { receiver } = startProcess([handler])
    const work: Promise<unknown>[] = []
    const background = (one: Promise<unknown>) => void work.push(one)
    expect(readCode(await receiver.receive(PLACED, { background }))).toBe('queued')
    expect(readCode(await receiver.receive(PLACED, { background }))).toBe('duplicate')
    await Promise.all(work)
    expect(readCode(await receiver.receive(PLACED, { background }))).toBe('duplicate')
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('the handlers of an event', () => {
  it('run again with a retry if they failed, and do not if they succeeded', async () => {
    const good = vi.fn()
    const slow = vi.fn(() => sleep(5))
    const bad = vi.fn().mockRejectedValueOnce(new Error('database')).mockResolvedValueOnce(undefined)
    const { deliver } = startProcess([good, bad, slow])
    expect([await deliver(), await deliver(), await deliver()]).toEqual(['HANDLER_FAILED', 'handled', 'duplicate'])
    expect([good, bad, slow].map((handler) => handler.mock.calls.length)).toEqual([1, 2, 1])
  })

  it('run again in another process if they failed, and do not if they succeeded', async () => {
    const store = createMemoryStore()
    const good = vi.fn()
    const first = startProcess([good, () => Promise.reject(new Error('here'))], { store })
    const second = startProcess([good, () => {}], { store })
    expect([await first.deliver(), await second.deliver()]).toEqual(['HANDLER_FAILED', 'handled'])
    expect(good).toHaveBeenCalledTimes(1)
  })

  it('do not run again in another process if they succeeded before their own was killed', async () => {
    const store = createMemoryStore()
    let isKilled = false
    const renew = vi.fn((...args: Parameters<IdempotencyStore['renew']>) => (isKilled ? hang() : store.renew(...args)))
    const first = vi.fn()
    const killed = startProcess([first, hang], {
      store: storeWith({ renew, release: hang, complete: hang }, store),
      leaseMs: 300,
    })
    const unanswered = killed.deliver()
    await waitFor(() => expect(renew).toHaveResolvedWith(true))
    isKilled = true
    const { deliver } = startProcess([first, () => {}], { store, leaseMs: 300 }, { deadlineMs: 100 })
    expect(await deliver()).toBe('IN_PROGRESS')
    await vi.waitFor(async () => expect(await deliver()).toBe('handled'), { timeout: 3000 })
    expect(first).toHaveBeenCalledTimes(1)
    void unanswered
  })

  it('are recognized by their names after a deployment that reordered them', async () => {
    const store = createMemoryStore()
    const mail = vi.fn()
    const fail = () => Promise.reject(new Error('database'))
    const before = startProcess([], { store })
    before.receiver.on('orders.place', { name: 'mail' }, mail).on('orders.place', { name: 'erp' }, fail)
    const after = startProcess([], { store })
    after.receiver.on('orders.place', { name: 'erp' }, () => {}).on('orders.place', { name: 'mail' }, mail)
    expect([await before.deliver(), await after.deliver()]).toEqual(['HANDLER_FAILED', 'handled'])
    expect(mail).toHaveBeenCalledTimes(1)
  })

  it('do not run when an include is missing, and the event is released', async () => {
    const { receiver, deliver } = startProcess([])
    receiver.on('orders.place', { include: ['tags'] }, () => {})
    expect([await deliver(), await deliver()]).toEqual(['INCLUDE_MISSING', 'INCLUDE_MISSING'])
  })

  it('cannot have the same name', () => {
    const { receiver } = startProcess([])
    receiver.on('orders.place', { name: 'mail' }, () => {})
    expect(() => receiver.on('orders.pay', { name: 'mail' }, () => {})).toThrow(/two handlers named 'mail'/)
    for (const name of ['', 1, null]) {
      expect(() => receiver.on('orders.pay', { name: name as string }, () => {})).toThrow(/`name`/)
    }
  })
})

describe('slow handlers', () => {
  it('keep the event reserved while they run, past the lease and the deadline', async () => {
    const store = createMemoryStore()
    let isAborted = false
    let finish = () => {}
    const handler = vi.fn(async (_: unknown, { signal }: { signal: AbortSignal }) => {
      await new Promise<void>((resolve) => (finish = resolve))
      isAborted = signal.aborted
    })
    const first = startProcess([handler], { store, leaseMs: 400 }, { deadlineMs: 200 })
    const second = startProcess([handler], { store, leaseMs: 400 }, { deadlineMs: 200 })
    expect(await first.deliver()).toBe('DEADLINE_EXCEEDED')
    await sleep(500)
    expect(await second.deliver()).toBe('IN_PROGRESS')
    finish()
    await first.receiver.close()
    expect(isAborted).toBe(true)
    expect(await second.deliver()).toBe('duplicate')
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('release the event when they fail after the deadline', async () => {
    const store = createMemoryStore()
    let fail = () => {}
    const handler = () => new Promise((_, reject) => (fail = () => reject(new Error('late'))))
    const late = startProcess([handler], { store }, { deadlineMs: 100 })
    expect(await late.deliver()).toBe('DEADLINE_EXCEEDED')
    fail()
    await late.receiver.close()
    expect(await startProcess([() => {}], { store }).deliver()).toBe('handled')
  })

  it('have their signal aborted when another process has taken the event over', async () => {
    let reason: { code?: string } = {}
    const handler: Handler = (_, { signal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          resolve()
        })
      })
    const lost = storeWith({ renew: async () => false, complete: async () => false })
    const { deliver, messages } = startProcess([handler], { store: lost, leaseMs: 30 })
    expect(await deliver()).toBe('handled')
    expect(reason.code).toBe('IN_PROGRESS')
    expect(messages().join()).toMatch(/another process took the event over/)
  })
})

describe('a receiver, when its idempotency store fails,', () => {
  it.each([
    ['rejects', refuse],
    [
      'throws',
      () => {
        throw new Error('not connected')
      },
    ],
  ])('answers 503 and runs no handler if `reserve` %s', async (_, reserve) => {
    const handler = vi.fn()
    const { receiver } = startProcess([handler], { store: storeWith({ reserve }) })
    const answer = await receiver.receive(PLACED)
    expect([answer.status, readCode(answer)]).toEqual([503, 'STORE_UNAVAILABLE'])
    expect(answer.body).not.toContain('connect')
    expect(handler).not.toHaveBeenCalled()
  })

  it('stops waiting well before the deadline if `reserve` hangs', async () => {
    const { deliver } = startProcess([() => {}], { store: storeWith({ reserve: hang }) }, { deadlineMs: 3500 })
    const begun = performance.now()
    expect(await deliver()).toBe('STORE_UNAVAILABLE')
    expect(performance.now() - begun).toBeLessThan(2500)
  })

  it('runs the handlers all the same with `onStoreError: run`', async () => {
    const handler = vi.fn()
    const { deliver, messages } = startProcess([handler], {
      store: storeWith({ reserve: refuse }),
      onStoreError: 'run',
    })
    expect([await deliver(), await deliver()]).toEqual(['handled', 'handled'])
    expect(handler).toHaveBeenCalledTimes(2)
    expect(messages()[0]).toMatch(/idempotency store failed/)
  })

  it('releases a reservation that arrives too late', async () => {
    const store = createMemoryStore()
    let goOn = () => {}
    const late = new Promise<void>((resolve) => (goOn = resolve))
    const release = vi.fn(store.release)
    const reserve: IdempotencyStore['reserve'] = (...args) => late.then(() => store.reserve(...args))
    const slow = storeWith({ reserve, release }, store)
    expect(await startProcess([() => {}], { store: slow }, { deadlineMs: 100 }).deliver()).toBe('STORE_UNAVAILABLE')
    goOn()
    await waitFor(() => expect(release).toHaveResolved())
    expect(await startProcess([() => {}], { store, leaseMs: 60_000 }).deliver()).toBe('handled')
  })

  it('calls `complete` again later if it fails, and does not run the handlers again', async () => {
    const store = createMemoryStore()
    const complete = vi.fn(store.complete).mockImplementationOnce(refuse).mockImplementationOnce(refuse)
    const handler = vi.fn()
    const { deliver, receiver, messages } = startProcess([handler], {
      store: storeWith({ complete }, store),
      leaseMs: 5000,
    })
    expect([await deliver(), await deliver()]).toEqual(['handled', 'duplicate'])
    expect(messages().join()).toMatch(/handled, but the idempotency store could not record it/)
    await receiver.close()
    expect(complete).toHaveBeenCalledTimes(3)
    expect(await startProcess([handler], { store }).deliver()).toBe('duplicate')
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('neither aborts the handlers nor runs them again if `renew` fails', async () => {
    const store = createMemoryStore()
    const renew = vi.fn(refuse)
    const first = vi.fn()
    let isAborted = true
    const slow: Handler = async (_, { signal }) => {
      await sleep(60)
      await waitFor(() => expect(renew.mock.calls.length).toBeGreaterThan(1))
      isAborted = signal.aborted
    }
    const { deliver } = startProcess([first, slow], { store: storeWith({ renew }, store), leaseMs: 40 })
    expect([await deliver(), await deliver()]).toEqual(['handled', 'duplicate'])
    expect(renew.mock.calls.length).toBeGreaterThan(1)
    expect(isAborted).toBe(false)
    expect(first).toHaveBeenCalledTimes(1)
  })

  it('logs that `complete` never succeeded, and does not wait for it forever in `close`', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { deliver, receiver, messages } = startProcess([() => {}], { store: storeWith({ complete: refuse }) })
      expect(await deliver()).toBe('handled')
      const closed = receiver.close()
      await vi.advanceTimersByTimeAsync(30_000)
      await closed
      expect(messages().at(-1)).toMatch(/never recorded it/)
    } finally {
      vi.useRealTimers()
    }
  })

  it('calls `release` once for a late reservation if it fails, and lets the lease run out', async () => {
    const store = createMemoryStore()
    const reserve: IdempotencyStore['reserve'] = (...args) => sleep(200).then(() => store.reserve(...args))
    const release = vi.fn(refuse)
    const slow = startProcess([() => {}], { store: storeWith({ reserve, release }, store) }, { deadlineMs: 100 })
    expect(await slow.deliver()).toBe('STORE_UNAVAILABLE')
    await waitFor(() => expect(release).toHaveBeenCalledTimes(1))
  })

  it('answers the retry of a failed delivery 409 until the lease has run out if `release` fails', async () => {
    const store = createMemoryStore()
    const failing = startProcess([() => Promise.reject(new Error('x'))], {
      store: storeWith({ release: refuse }, store),
      leaseMs: 300,
    })
    expect(await failing.deliver()).toBe('HANDLER_FAILED')
    expect(failing.messages().join()).toMatch(/could not be released/)
    const { deliver } = startProcess([() => {}], { store }, { deadlineMs: 100 })
    expect(await deliver()).toBe('IN_PROGRESS')
    await vi.waitFor(async () => expect(await deliver()).toBe('handled'), { timeout: 3000 })
  })
})

describe('an event that is older than one that was handled', () => {
  const newer = createOrderUpdate('2026-11-21T10:00:00.002Z')
  const older = createOrderUpdate('2026-11-21T10:00:00.001Z')

  it('is marked as `stale` for its handlers', async () => {
    const seen: boolean[] = []
    const { deliver } = startProcess([({ stale }) => seen.push(stale)])
    const others = [createOrderUpdate('2026-11-21T09:00:00.000Z', 'AnotherOrd'), delivery('orders.place', CART)]
    for (const one of [newer, older, ...others]) expect(await deliver(one)).toBe('handled')
    expect(seen).toEqual([false, true, false, false])
  })

  it('is acknowledged without its handlers with `stale: skip`', async () => {
    const handler = vi.fn()
    const { deliver } = startProcess([handler], { stale: 'skip' })
    expect([await deliver(newer), await deliver(older), await deliver(older)]).toEqual([
      'handled',
      'ignored',
      'duplicate',
    ])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is not marked as `stale` without a store', async () => {
    const seen: boolean[] = []
    const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger })
    receiver.on('orders.update', ({ stale }) => seen.push(stale))
    for (const one of [newer, older]) await receiver.receive(one)
    expect(seen).toEqual([false, false])
  })
})

describe('the `idempotency` option of a receiver is refused', () => {
  it.each([
    ['without a store', {}, /store/],
    ['with a store that lacks methods', { store: { reserve: refuse } }, /renew/],
    ['with an unknown name', { ttl: 1 }, /no option `ttl`/],
    ['with a lease of 0', { leaseMs: 0 }, /leaseMs/],
    ['with a retention that is not a number', { retentionMs: '7d' }, /retentionMs/],
    ['with an unknown value of `onStoreError`', { onStoreError: 'ignore' }, /onStoreError/],
    ['with a key that is not a function', { key: 'id' }, /key/],
  ])('%s', (_, options, message) => {
    const store = 'store' in options || Object.keys(options).length === 0 ? {} : { store: createMemoryStore() }
    const make = () => createReceiver({ secrets: SECRET, idempotency: { ...store, ...options } as IdempotencyOptions })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})

it('a delivery and a redelivery fail with STORE_UNAVAILABLE when the store never answers', async () => {
  const { receiver } = startProcess([() => {}], { store: storeWith({ reserve: hang }) }, { deadlineMs: 200 })
  expect(readCode(await receiver.receive(PLACED))).toBe('STORE_UNAVAILABLE')
  expect(await rejection(receiver.redeliver('orders.place', CART))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
