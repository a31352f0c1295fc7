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

const PLACED = delivery('orders.place', CART)

interface Scene {
  readonly receiver: Receiver
  readonly store: IdempotencyStore
  readonly messages: () => string[]
  answer(request?: typeof PLACED): Promise<string>
}

/** Several receivers on one store are several processes of a shop. */
function sceneWith(
  handlers: readonly Handler[],
  idempotency: Partial<IdempotencyOptions> = {},
  options: Partial<ReceiverOptions> = {},
): Scene {
  const { logger, messages } = recordingLogger()
  const store = idempotency.store ?? createMemoryStore()
  const receiver = createReceiver({
    secrets: () => SECRET,
    logger,
    idempotency: { leaseMs: 200, ...idempotency, store },
    ...options,
  })
  for (const handler of handlers) receiver.on('orders.*', handler)
  return { receiver, store, messages, answer: async (request = PLACED) => codeOf(await receiver.receive(request)) }
}

function codeOf({ body }: WebhookResponse): string {
  const { outcome, error } = JSON.parse(body)
  return outcome ?? error.code
}

/** A store, some methods of which do something else. */
function storeWith(changes: Partial<IdempotencyStore>, store = createMemoryStore()): IdempotencyStore {
  return {
    reserve: (...args) => store.reserve(...args),
    renew: (...args) => store.renew(...args),
    complete: (...args) => store.complete(...args),
    release: (...args) => store.release(...args),
    ...changes,
  }
}

const down = () => Promise.reject(new Error('connection refused'))
const hung = () => new Promise<never>(() => {})

function orderOf(updatedAt: string, id = 'NrlYhpzLKA') {
  return delivery('orders.update', { data: order({ id, attributes: { updated_at: updatedAt } }) })
}

describe('an event that is delivered again', () => {
  it('is handled once, and its duplicates are acknowledged', async () => {
    const handler = vi.fn()
    const { answer } = sceneWith([handler])
    expect([await answer(), await answer(), await answer()]).toEqual(['handled', 'duplicate', 'duplicate'])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is known by what it says, however it is spelled', async () => {
    const handler = vi.fn()
    const { answer, receiver } = sceneWith([handler])
    await answer()
    expect(await answer(delivery('orders.place', `${JSON.stringify(CART)}\n`))).toBe('duplicate')
    expect(await receiver.redeliver('orders.place', CART)).toBe('duplicate')
    expect(await answer(delivery('orders.pay', CART))).toBe('handled')
    expect(await answer(delivery('orders.place', { data: order() }))).toBe('handled')
    expect(handler).toHaveBeenCalledTimes(3)
  })

  it('may be known by a key of your own', async () => {
    const key = ({ topic, resource }: WebhookEvent) => `${topic} ${resource.id}`
    const { answer } = sceneWith([() => {}], { key })
    await answer()
    expect(await answer(delivery('orders.place', { data: order() }))).toBe('duplicate')
  })

  it('is known by its bytes where it has no canonical form', async () => {
    const { answer } = sceneWith([() => {}])
    const deep = delivery('orders.place', nested(600))
    expect([await answer(deep), await answer(deep)]).toEqual(['handled', 'duplicate'])
  })

  it('is refused while another has it, by 409', async () => {
    let finish = () => {}
    const { answer, receiver } = sceneWith([() => new Promise<void>((resolve) => (finish = resolve))])
    const first = answer()
    await sleep(20)
    const second = await receiver.receive(PLACED)
    expect([second.status, codeOf(second)]).toEqual([409, 'IN_PROGRESS'])
    finish()
    expect(await first).toBe('handled')
    expect(await answer()).toBe('duplicate')
  })

  it('is handled once by many processes at the same time', async () => {
    const store = createMemoryStore()
    const handler = vi.fn(() => sleep(20))
    const scenes = Array.from({ length: 8 }, () => sceneWith([handler], { store }))
    const answers = await Promise.all(scenes.flatMap(({ answer }) => [answer(), answer(), answer()]))
    expect(handler).toHaveBeenCalledTimes(1)
    expect(answers.filter((answer) => answer === 'handled')).toHaveLength(1)
    expect(answers.filter((answer) => answer === 'IN_PROGRESS')).toHaveLength(23)
  })

  it('is not remembered where nobody listens', async () => {
    const reserve = vi.fn(down)
    const { answer } = sceneWith([], { store: storeWith({ reserve }) })
    expect(await answer()).toBe('ignored')
    expect(reserve).not.toHaveBeenCalled()
  })

  it('is handled once where it cannot be helped', async () => {
    const handler = vi.fn(() => {
      throw new PermanentError('no address')
    })
    const { answer } = sceneWith([handler])
    expect([await answer(), await answer()]).toEqual(['discarded', 'duplicate'])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is forgotten after `retentionMs`', async () => {
    const { answer } = sceneWith([() => {}], { retentionMs: 30 })
    await answer()
    await sleep(60)
    expect(await answer()).toBe('handled')
  })

  it('is handled once in the background', async () => {
    const handler = vi.fn()
    const { receiver } = sceneWith([handler])
    const work: Promise<unknown>[] = []
    const background = (one: Promise<unknown>) => void work.push(one)
    expect(codeOf(await receiver.receive(PLACED, { background }))).toBe('queued')
    expect(codeOf(await receiver.receive(PLACED, { background }))).toBe('IN_PROGRESS')
    await Promise.all(work)
    expect(codeOf(await receiver.receive(PLACED, { background }))).toBe('duplicate')
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('handlers that fail', () => {
  it('run again with the retry, and those that did their part do not', async () => {
    const good = vi.fn()
    const slow = vi.fn(() => sleep(5))
    const bad = vi.fn().mockRejectedValueOnce(new Error('database')).mockResolvedValueOnce(undefined)
    const { answer } = sceneWith([good, bad, slow])
    expect([await answer(), await answer(), await answer()]).toEqual(['HANDLER_FAILED', 'handled', 'duplicate'])
    expect([good, bad, slow].map((handler) => handler.mock.calls.length)).toEqual([1, 2, 1])
  })

  it('leave nothing to do for another process but their own part', async () => {
    const store = createMemoryStore()
    const good = vi.fn()
    const first = sceneWith([good, () => Promise.reject(new Error('here'))], { store })
    const second = sceneWith([good, () => {}], { store })
    expect([await first.answer(), await second.answer()]).toEqual(['HANDLER_FAILED', 'handled'])
    expect(good).toHaveBeenCalledTimes(1)
  })

  it('are remembered one by one, for the process that takes over from one that was killed', async () => {
    const store = createMemoryStore()
    const renew = (...args: Parameters<IdempotencyStore['renew']>) => (isKilled ? hung() : store.renew(...args))
    let isKilled = false
    const first = vi.fn()
    const killed = sceneWith([first, hung], {
      store: storeWith({ renew, release: hung, complete: hung }, store),
      leaseMs: 60,
    })
    const unanswered = killed.answer()
    await sleep(30)
    isKilled = true
    const { answer } = sceneWith([first, () => {}], { store, leaseMs: 60 })
    expect(await answer()).toBe('IN_PROGRESS')
    await sleep(90)
    expect(await answer()).toBe('handled')
    expect(first).toHaveBeenCalledTimes(1)
    void unanswered
  })

  it('have names, by which they are known after a deployment that moved them', async () => {
    const store = createMemoryStore()
    const mail = vi.fn()
    const fail = () => Promise.reject(new Error('database'))
    const before = sceneWith([], { store })
    before.receiver.on('orders.place', { name: 'mail' }, mail).on('orders.place', { name: 'erp' }, fail)
    const after = sceneWith([], { store })
    after.receiver.on('orders.place', { name: 'erp' }, () => {}).on('orders.place', { name: 'mail' }, mail)
    expect([await before.answer(), await after.answer()]).toEqual(['HANDLER_FAILED', 'handled'])
    expect(mail).toHaveBeenCalledTimes(1)
  })

  it('are none when something that they include is missing, and the event is given back', async () => {
    const { receiver, answer } = sceneWith([])
    receiver.on('orders.place', { include: ['tags'] }, () => {})
    expect([await answer(), await answer()]).toEqual(['INCLUDE_MISSING', 'INCLUDE_MISSING'])
  })

  it('cannot have the same name', () => {
    const { receiver } = sceneWith([])
    receiver.on('orders.place', { name: 'mail' }, () => {})
    expect(() => receiver.on('orders.pay', { name: 'mail' }, () => {})).toThrow(/two handlers named 'mail'/)
    for (const name of ['', 1, null]) {
      expect(() => receiver.on('orders.pay', { name: name as string }, () => {})).toThrow(/`name`/)
    }
  })
})

describe('slow handlers', () => {
  it('keep the event for as long as they run, past the lease and the deadline', async () => {
    const store = createMemoryStore()
    let isAborted = false
    const handler = vi.fn(async (_: unknown, { signal }: { signal: AbortSignal }) => {
      await sleep(250)
      isAborted = signal.aborted
    })
    const first = sceneWith([handler], { store, leaseMs: 60 }, { deadlineMs: 50 })
    const second = sceneWith([handler], { store, leaseMs: 60 })
    expect(await first.answer()).toBe('DEADLINE_EXCEEDED')
    await sleep(120)
    expect(await second.answer()).toBe('IN_PROGRESS')
    await first.receiver.close()
    expect(isAborted).toBe(true)
    expect(await second.answer()).toBe('duplicate')
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('give the event back when they fail after the deadline', async () => {
    const store = createMemoryStore()
    const late = sceneWith(
      [() => sleep(60).then(() => Promise.reject(new Error('late')))],
      { store },
      { deadlineMs: 20 },
    )
    expect(await late.answer()).toBe('DEADLINE_EXCEEDED')
    await late.receiver.close()
    expect(await sceneWith([() => {}], { store }).answer()).toBe('handled')
  })

  it('are told to stop when another process has taken the event over', async () => {
    let reason: { code?: string } = {}
    const handler: Handler = (_, { signal }) =>
      new Promise<void>((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          resolve()
        })
      })
    const lost = storeWith({ renew: async () => false, complete: async () => false })
    const { answer, messages } = sceneWith([handler], { store: lost, leaseMs: 30 })
    expect(await answer()).toBe('handled')
    expect(reason.code).toBe('IN_PROGRESS')
    expect(messages().join()).toMatch(/another process took the event over/)
  })
})

describe('a store that is down', () => {
  it.each([
    ['refuses', down],
    [
      'throws',
      () => {
        throw new Error('not connected')
      },
    ],
  ])('and %s keeps the handlers from running, by 503', async (_, reserve) => {
    const handler = vi.fn()
    const { receiver } = sceneWith([handler], { store: storeWith({ reserve }) })
    const answer = await receiver.receive(PLACED)
    expect([answer.status, codeOf(answer)]).toEqual([503, 'STORE_UNAVAILABLE'])
    expect(answer.body).not.toContain('connect')
    expect(handler).not.toHaveBeenCalled()
  })

  it('and hangs is not waited for until the deadline', async () => {
    const { answer } = sceneWith([() => {}], { store: storeWith({ reserve: hung }) }, { deadlineMs: 3500 })
    const begun = performance.now()
    expect(await answer()).toBe('STORE_UNAVAILABLE')
    expect(performance.now() - begun).toBeLessThan(2500)
  })

  it('may be overruled, at the risk of running twice', async () => {
    const handler = vi.fn()
    const { answer, messages } = sceneWith([handler], { store: storeWith({ reserve: down }), onStoreError: 'run' })
    expect([await answer(), await answer()]).toEqual(['handled', 'handled'])
    expect(handler).toHaveBeenCalledTimes(2)
    expect(messages()[0]).toMatch(/idempotency store failed/)
  })

  it('gives back a claim that came too late', async () => {
    const store = createMemoryStore()
    const slow = storeWith({ reserve: (...args) => sleep(60).then(() => store.reserve(...args)) }, store)
    expect(await sceneWith([() => {}], { store: slow }, { deadlineMs: 20 }).answer()).toBe('STORE_UNAVAILABLE')
    await sleep(90)
    expect(await sceneWith([() => {}], { store, leaseMs: 60_000 }).answer()).toBe('handled')
  })

  it('after the handlers ran is told later, and they do not run again', async () => {
    const store = createMemoryStore()
    const complete = vi.fn(store.complete).mockImplementationOnce(down).mockImplementationOnce(down)
    const handler = vi.fn()
    const { answer, receiver, messages } = sceneWith([handler], {
      store: storeWith({ complete }, store),
      leaseMs: 5000,
    })
    expect([await answer(), await answer()]).toEqual(['handled', 'duplicate'])
    expect(messages().join()).toMatch(/handled, but the idempotency store could not record it/)
    await receiver.close()
    expect(complete).toHaveBeenCalledTimes(3)
    expect(await sceneWith([handler], { store }).answer()).toBe('duplicate')
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('for a while loses nothing that the handlers have done', async () => {
    const store = createMemoryStore()
    const renew = vi.fn(down)
    const first = vi.fn()
    let isAborted = true
    const slow: Handler = async (_, { signal }) => {
      await sleep(60)
      isAborted = signal.aborted
    }
    const { answer } = sceneWith([first, slow], { store: storeWith({ renew }, store), leaseMs: 40 })
    expect([await answer(), await answer()]).toEqual(['handled', 'duplicate'])
    expect(renew.mock.calls.length).toBeGreaterThan(1)
    expect(isAborted).toBe(false)
    expect(first).toHaveBeenCalledTimes(1)
  })

  it('for good is told of in the log, and not waited for by `close`', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { answer, receiver, messages } = sceneWith([() => {}], { store: storeWith({ complete: down }) })
      expect(await answer()).toBe('handled')
      const closed = receiver.close()
      await vi.advanceTimersByTimeAsync(30_000)
      await closed
      expect(messages().at(-1)).toMatch(/never recorded it/)
    } finally {
      vi.useRealTimers()
    }
  })

  it('when a claim that came too late is given back leaves it to the lease', async () => {
    const store = createMemoryStore()
    const reserve: IdempotencyStore['reserve'] = (...args) => sleep(40).then(() => store.reserve(...args))
    const release = vi.fn(down)
    const slow = sceneWith([() => {}], { store: storeWith({ reserve, release }, store) }, { deadlineMs: 15 })
    expect(await slow.answer()).toBe('STORE_UNAVAILABLE')
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(1))
  })

  it('when an event is given back leaves it to the lease', async () => {
    const store = createMemoryStore()
    const failing = sceneWith([() => Promise.reject(new Error('x'))], {
      store: storeWith({ release: down }, store),
      leaseMs: 50,
    })
    expect(await failing.answer()).toBe('HANDLER_FAILED')
    expect(failing.messages().join()).toMatch(/could not be released/)
    const { answer } = sceneWith([() => {}], { store })
    expect(await answer()).toBe('IN_PROGRESS')
    await sleep(80)
    expect(await answer()).toBe('handled')
  })
})

describe('an event that was overtaken', () => {
  const newer = orderOf('2026-11-21T10:00:00.002Z')
  const older = orderOf('2026-11-21T10:00:00.001Z')

  it('says so to its handlers', async () => {
    const seen: boolean[] = []
    const { answer } = sceneWith([({ stale }) => seen.push(stale)])
    const others = [orderOf('2026-11-21T09:00:00.000Z', 'AnotherOrd'), delivery('orders.place', CART)]
    for (const one of [newer, older, ...others]) expect(await answer(one)).toBe('handled')
    expect(seen).toEqual([false, true, false, false])
  })

  it('is acknowledged and left out with `stale: skip`', async () => {
    const handler = vi.fn()
    const { answer } = sceneWith([handler], { stale: 'skip' })
    expect([await answer(newer), await answer(older), await answer(older)]).toEqual(['handled', 'ignored', 'duplicate'])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('is not known as such without a store', async () => {
    const seen: boolean[] = []
    const receiver = createReceiver({ secrets: SECRET, logger: recordingLogger().logger })
    receiver.on('orders.update', ({ stale }) => seen.push(stale))
    for (const one of [newer, older]) await receiver.receive(one)
    expect(seen).toEqual([false, false])
  })
})

describe('the idempotency of a receiver is refused', () => {
  it.each([
    ['without a store', {}, /store/],
    ['with half a store', { store: { reserve: down } }, /renew/],
    ['with an option that does not exist', { ttl: 1 }, /no option `ttl`/],
    ['with a lease of nothing', { leaseMs: 0 }, /leaseMs/],
    ['with a retention that is no number', { retentionMs: '7d' }, /retentionMs/],
    ['with another word', { onStoreError: 'ignore' }, /onStoreError/],
    ['with a key that is no function', { key: 'id' }, /key/],
  ])('%s', (_, options, message) => {
    const store = 'store' in options || Object.keys(options).length === 0 ? {} : { store: createMemoryStore() }
    const make = () => createReceiver({ secrets: SECRET, idempotency: { ...store, ...options } as IdempotencyOptions })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})

it('a claim is given up when the event cannot be claimed in time', async () => {
  const { receiver } = sceneWith([() => {}], { store: storeWith({ reserve: hung }) }, { deadlineMs: 30 })
  expect(codeOf(await receiver.receive(PLACED))).toBe('STORE_UNAVAILABLE')
  expect(await rejection(receiver.redeliver('orders.place', CART))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
})
