import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, createWorker, PermanentError, type ReceiverOptions } from 'hooklayer'
import type { EventType, ObservedEvent, Observer } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { describe, expect, it, vi } from 'vitest'
import {
  bytes,
  CART,
  delivery,
  idOf,
  nested,
  OTHER_SECRET,
  recordingLogger,
  SECRET,
  withHeaders,
} from '../deliveries.ts'

/** Longer than a busy machine takes. */
const eventually = (check: () => unknown) => vi.waitFor(check, 10_000)

const PLACED = delivery('orders.place', CART)
const FORGED = delivery('orders.place', CART, OTHER_SECRET)
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** A receiver with an observer that records all events. */
function observed(options: Partial<ReceiverOptions> = {}, observer: Observer = {}) {
  const events: ObservedEvent[] = []
  const { logger, lines, messages } = recordingLogger()
  const recorder: Observer = { ...observer, onEvent: (event) => events.push(event) }
  const receiver = createReceiver({ secrets: SECRET, logger, observers: [recorder], ...options })
  const of = <T extends EventType>(type: T) =>
    events.filter((event): event is Extract<ObservedEvent, { type: T }> => event.type === type)
  return { receiver, events, types: () => events.map(({ type }) => type), of, lines, messages }
}

/** Waits until a worker has told of an event. */
const toldOf = (types: () => EventType[], type: EventType, times = 1) =>
  eventually(() => expect(types().filter((one) => one === type)).toHaveLength(times))

describe('an observer', () => {
  it('is told what happens to a delivery, in order, with what is known of it', async () => {
    const { receiver, events, types } = observed()
    receiver.on('orders.place', { name: 'erp' }, async () => {})
    await receiver.receive(PLACED)
    expect(types()).toEqual(['received', 'handler-started', 'handler-finished', 'finished'])
    const [received, , ran, finished] = events
    expect(received).toMatchObject({
      topic: 'orders.place',
      deliveryId: idOf('orders.place', PLACED.body),
      source: 'request',
      bodyBytes: PLACED.body.length,
      resource: undefined,
    })
    const resource = { type: 'orders', id: 'NrlYhpzLKA' }
    const known = {
      resource,
      mode: 'test',
      organizationId: 'wRPpEFOElR',
      eventId: expect.stringMatching(/^[0-9a-f]{64}$/),
    }
    expect(ran).toMatchObject({ ...known, handler: 'erp', outcome: 'handled', durationMs: expect.any(Number) })
    expect(finished).toMatchObject({ ...known, outcome: 'handled', code: undefined, durationMs: expect.any(Number) })
    expect(new Set(events.map(({ scope }) => scope)).size).toBe(1)
  })

  it('is told of a failure, by its code, and how many there were in a row', async () => {
    const { receiver, of } = observed()
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    await receiver.receive(PLACED)
    await receiver.receive(PLACED)
    expect(of('handler-finished')).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }])
    expect(of('finished')).toMatchObject([
      { outcome: 'failed', code: 'HANDLER_FAILED', consecutiveFailures: 1 },
      { outcome: 'failed', code: 'HANDLER_FAILED', consecutiveFailures: 2 },
    ])
  })

  it('is told of an outage that a duplicate does not end', async () => {
    const { receiver, of } = observed({ idempotency: { store: createMemoryStore() } })
    let isDown = false
    receiver.on('orders.place', () => {
      if (isDown) throw new Error('down')
    })
    const other = delivery('orders.place', { ...CART, data: { ...CART.data, id: 'another' } })
    await receiver.receive(PLACED)
    isDown = true
    await receiver.receive(other)
    await receiver.receive(PLACED)
    isDown = false
    await receiver.receive(other)
    expect(of('finished').map(({ outcome, consecutiveFailures }) => [outcome, consecutiveFailures])).toEqual([
      ['handled', 0],
      ['failed', 1],
      ['duplicate', 1],
      ['handled', 0],
    ])
  })

  it('is told of what a handler discards, of duplicates and of what nobody handles', async () => {
    const { receiver, of } = observed({ idempotency: { store: createMemoryStore() } })
    receiver.on('orders.pay', async () => {
      throw new PermanentError('no')
    })
    receiver.on('orders.place', () => {})
    for (const topic of ['orders.pay', 'orders.place', 'orders.place', 'orders.cancel']) {
      await receiver.receive(delivery(topic, CART))
    }
    expect(of('finished').map(({ outcome }) => outcome)).toEqual(['discarded', 'handled', 'duplicate', 'ignored'])
    expect(of('handler-finished').map(({ outcome }) => outcome)).toEqual(['discarded', 'handled'])
  })

  it('is told of requests that are refused, and only of topics that nobody can make up', async () => {
    const { receiver, events } = observed()
    receiver.on('shop_things.make', () => {})
    await receiver.receive(FORGED)
    await receiver.receive(delivery('shop_things.make', CART, OTHER_SECRET))
    await receiver.receive(delivery('made_up.topic', CART, OTHER_SECRET))
    await receiver.receive({ ...PLACED, method: 'GET' })
    expect(events).toMatchObject([
      { type: 'refused', topic: 'orders.place', code: 'SIGNATURE_MISMATCH', status: 401, deliveryId: undefined },
      { type: 'refused', topic: 'shop_things.make', code: 'SIGNATURE_MISMATCH' },
      { type: 'refused', topic: undefined, code: 'SIGNATURE_MISMATCH' },
      { type: 'refused', topic: undefined, code: 'METHOD_NOT_ALLOWED', status: 405 },
    ])
  })

  it('is told of a genuine delivery of a topic that is not known, without the topic', async () => {
    const { receiver, events } = observed()
    await receiver.receive(delivery('made_up.topic', { data: { type: 'made_up', id: 'a' } }))
    expect(events).toMatchObject([
      { type: 'received', topic: undefined },
      { type: 'finished', topic: undefined, outcome: 'ignored' },
    ])
  })

  it('is told once that a delivery has ended whose handlers run in the background', async () => {
    const { receiver, events, types } = observed()
    receiver.on('orders.place', () => sleep(10))
    const works: Promise<unknown>[] = []
    await receiver.receive(PLACED, { background: (work) => works.push(work) })
    expect(types()).toEqual(['received'])
    await Promise.all(works)
    expect(types()).toEqual(['received', 'handler-started', 'handler-finished', 'finished'])
    expect(events.at(-1)).toMatchObject({ outcome: 'handled' })
    expect(new Set(events.map(({ scope }) => scope)).size).toBe(1)
  })

  it('is told of no circuit that is near when handlers fail in the background, after the answer', async () => {
    const { receiver, of } = observed()
    receiver.on('orders.place', async () => {
      throw new Error('down')
    })
    const works: Promise<unknown>[] = []
    const background = (work: Promise<unknown>) => works.push(work)
    const answers = await Promise.all(Array.from({ length: 12 }, () => receiver.receive(PLACED, { background })))
    await Promise.all(works)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    expect(of('finished').map(({ outcome, consecutiveFailures }) => [outcome, consecutiveFailures])).toEqual(
      Array.from({ length: 12 }, () => ['failed', 0]),
    )
    expect(of('breaker')).toEqual([])
  })

  it('is told of what is redelivered', async () => {
    const { receiver, events } = observed()
    receiver.on('orders.place', () => {})
    await receiver.redeliver('orders.place', CART)
    expect(events[0]).toMatchObject({ type: 'received', source: 'redelivery', topic: 'orders.place' })
  })

  it('is told that circuits are near, once for each level', async () => {
    const { receiver, of } = observed()
    let isDown = true
    receiver.on('orders.place', () => {
      if (isDown) throw new Error('down')
    })
    const outage = async () => {
      for (let i = 0; i < 29; i += 1) await receiver.receive(PLACED)
    }
    await outage()
    expect(of('breaker').map(({ level }) => level)).toEqual([10, 20, 25])
    isDown = false
    await receiver.receive(PLACED)
    isDown = true
    await outage()
    expect(of('breaker').map(({ topic, level, consecutiveFailures }) => [topic, level, consecutiveFailures])).toEqual(
      [10, 20, 25, 10, 20, 25].map((level) => ['orders.place', level, level]),
    )
  })

  it('is told that all signatures of a topic are wrong, which a replaced secret looks like', async () => {
    const { receiver, of } = observed()
    receiver.on('orders.place', () => {})
    const forge = async (times: number) => {
      for (let i = 0; i < times; i += 1) await receiver.receive(FORGED)
    }
    await forge(9)
    await receiver.receive(PLACED)
    await forge(9)
    expect(of('breaker')).toEqual([])
    await forge(20)
    expect(of('breaker')).toMatchObject([{ topic: 'orders.place', level: 'mismatch', consecutiveFailures: 10 }])
  })

  it('is not told of topics without a handler that strangers sign', async () => {
    const { receiver, of } = observed()
    for (let i = 0; i < 20; i += 1) await receiver.receive(FORGED)
    expect(of('breaker')).toEqual([])
  })

  it('gets nothing of a body, a secret or a signature', async () => {
    const { receiver, events } = observed()
    receiver.on('orders.place', () => {
      throw new Error('ada@example.com')
    })
    await receiver.receive(PLACED)
    await receiver.receive(FORGED)
    for (const text of [JSON.stringify(events), events.map((event) => Object.values(event).join()).join()]) {
      for (const secret of ['ada@example.com', SECRET, '2001', PLACED.headers['x-commercelayer-signature']]) {
        expect(text).not.toContain(secret)
      }
    }
  })

  it('can be written as JSON, with the ids that cost nothing more', async () => {
    const { receiver, events } = observed()
    receiver.on('orders.place', { name: 'erp' }, () => {})
    await receiver.receive(PLACED)
    const { durationMs, ...others } = JSON.parse(JSON.stringify(events.at(-1)))
    expect(others).toEqual({
      type: 'finished',
      topic: 'orders.place',
      deliveryId: idOf('orders.place', PLACED.body),
      resource: { type: 'orders', id: 'NrlYhpzLKA' },
      mode: 'test',
      organizationId: 'wRPpEFOElR',
      outcome: 'handled',
      consecutiveFailures: 0,
    })
  })

  it('gets no id of an event that has none', async () => {
    const { receiver, of } = observed()
    await receiver.on('orders.place', () => {}).receive(delivery('orders.place', nested(501)))
    expect(of('finished')).toMatchObject([{ outcome: 'handled', eventId: undefined }])
  })

  it('is told of dead letters that a worker names, and nothing of a topic that is none', () => {
    const { receiver, events } = observed()
    const error = { code: 'NO_HANDLER', message: 'No worker had a handler.' }
    receiver.notify({ type: 'dead', topic: 'orders.place', error, count: 7 })
    receiver.notify({ type: 'retry-scheduled', topic: 'ada@example.com\n', id: 'a', error })
    expect(events).toMatchObject([
      { type: 'dead', topic: 'orders.place', deliveryId: undefined, code: 'NO_HANDLER', count: 7 },
      { type: 'retry-scheduled', topic: undefined, deliveryId: 'a', delayMs: 0 },
    ])
  })

  it('is called as a method of its own', async () => {
    class Counter implements Observer {
      #count = 0
      onEvent() {
        this.#count += 1
      }
      wrapHandler(_: unknown, run: () => unknown) {
        this.#count += 10
        return run()
      }
      toTraceparent() {
        this.#count += 100
        return undefined
      }
      get count() {
        return this.#count
      }
    }
    const counter = new Counter()
    const { receiver, messages } = observed({ observers: [counter] })
    await receiver.on('orders.place', () => {}).receive(PLACED)
    const storing = observed({ observers: [counter], inbox: createMemoryInbox() })
    await storing.receiver.receive(PLACED)
    expect(counter.count).toBe(4 + 10 + 100 + 3)
    expect([...messages(), ...storing.messages()]).not.toContainEqual(expect.stringMatching(/observer failed/i))
  })

  it('is not told of types that it has not asked for', async () => {
    const onEvent = vi.fn()
    const { receiver } = observed({ observers: [{ events: ['finished'], onEvent }] })
    await receiver.on('orders.place', () => {}).receive(PLACED)
    expect(onEvent.mock.calls.map(([{ type }]) => type)).toEqual(['finished'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('observer down')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('observer down')
      },
    ],
  ])('does no harm when it %s, which is logged once', async (_, onEvent) => {
    const { logger, lines } = recordingLogger()
    const next = vi.fn()
    const receiver = createReceiver({ secrets: SECRET, logger, observers: [{ onEvent }, { onEvent: next }] })
    receiver.on('orders.place', () => {})
    expect((await receiver.receive(PLACED)).status).toBe(200)
    expect((await receiver.receive(PLACED)).status).toBe(200)
    await eventually(() => expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1))
    expect(lines.find(({ level }) => level === 'warn')?.message).toMatch(/observer failed/i)
    expect(next).toHaveBeenCalledTimes(8)
  })

  it.each([
    [{}, /needs one of onEvent, wrapHandler, toTraceparent/],
    [undefined, /needs one of/],
    [{ onEvent: 'log' }, /no method `onEvent`/],
    [{ onEvent() {}, events: ['finishd'] }, /'finishd'.*Did you mean finished/],
    [{ onEvent() {}, events: ['x'] }, /received, refused, stored/],
  ])('that cannot be one, %j, is refused when the receiver is made', (observer, message) => {
    const make = () => createReceiver({ secrets: SECRET, observers: [observer as Observer] })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  it('that is not in a list is refused when the receiver is made', () => {
    const observers = { onEvent() {} } as unknown as Observer[]
    expect(() => createReceiver({ secrets: SECRET, observers })).toThrow(new TypeError('`observers` must be a list.'))
  })
})

describe('an observer of a worker', () => {
  const setUp = (observer: Observer = {}) => {
    const inbox = createMemoryInbox()
    const scene = observed({ inbox }, observer)
    const work = (options = {}) =>
      createWorker({ receiver: scene.receiver, inbox, backoffMs: 1, logger: recordingLogger().logger, ...options })
    return { ...scene, inbox, work }
  }

  it('is told that a delivery was stored, taken, tried again and given up', async () => {
    const { receiver, events, types, of, work } = setUp()
    receiver.on('orders.place', { name: 'erp' }, () => {
      throw new Error('down')
    })
    await receiver.receive(PLACED)
    expect(types()).toEqual(['received', 'stored', 'finished'])
    expect(events.at(-1)).toMatchObject({ outcome: 'queued' })
    const worker = work({ attempts: 2 })
    await toldOf(types, 'dead')
    await worker.stop()
    const attempt = ['received', 'handler-started', 'handler-finished', 'finished']
    expect(types().slice(3)).toEqual([...attempt, 'retry-scheduled', ...attempt, 'dead'])
    expect(events[3]).toMatchObject({ source: 'inbox', attempt: 1, attempts: 2 })
    const deliveryId = idOf('orders.place', PLACED.body)
    const of1 = { topic: 'orders.place', deliveryId, handler: 'erp', code: 'HANDLER_FAILED', attempts: 2 }
    const resource = { type: 'orders', id: 'NrlYhpzLKA' }
    expect(of('retry-scheduled')).toMatchObject([{ ...of1, resource, attempt: 1, delayMs: expect.any(Number) }])
    expect(of('dead')).toMatchObject([{ ...of1, resource, attempt: 2, count: 1 }])
    expect(new Set(events.slice(3, 7).map(({ scope }) => scope)).size).toBe(1)
    expect(events[3]?.scope).not.toBe(events[8]?.scope)
  })

  it('finds the trace context again that it stored with the delivery, and no other', async () => {
    const infos: unknown[] = []
    const toTraceparent: Observer['toTraceparent'] = (info) => {
      infos.push(info.topic, info.deliveryId)
      return TRACE
    }
    const { receiver, types, of, work } = setUp({ toTraceparent })
    receiver.on('orders.place', () => {})
    const sender = TRACE.replace('0af7', 'ffff')
    await receiver.receive(withHeaders(PLACED, { traceparent: sender }))
    const worker = work()
    await toldOf(types, 'finished', 2)
    await worker.stop()
    expect(infos).toEqual(['orders.place', idOf('orders.place', PLACED.body)])
    expect(of('received')).toMatchObject([
      { traceparent: undefined, senderTraceparent: sender },
      { traceparent: TRACE, senderTraceparent: undefined },
    ])
  })

  it('is asked for a trace context without a topic that was made up', async () => {
    const topics: unknown[] = []
    const { receiver } = setUp({ toTraceparent: ({ topic }) => void topics.push(topic) })
    await receiver.receive(delivery('made_up.topic', { data: { type: 'made_up', id: 'a' } }))
    await receiver.receive(PLACED)
    expect(topics).toEqual([undefined, 'orders.place'])
  })

  it('stores no trace context that is none', async () => {
    const { receiver, inbox, messages } = setUp({ toTraceparent: () => `${TRACE}\nX: 1` })
    const put = vi.spyOn(inbox, 'put')
    await receiver.receive(withHeaders(PLACED, { traceparent: 'x'.repeat(1000) }))
    expect(put.mock.calls[0]?.[0]).not.toHaveProperty('traceparent')
    const failing = setUp({
      toTraceparent() {
        throw new Error('down')
      },
    })
    expect((await failing.receiver.receive(PLACED)).status).toBe(202)
    expect(failing.messages()).toContainEqual(expect.stringMatching(/observer failed/i))
    expect(messages()).not.toContainEqual(expect.stringMatching(/observer failed/i))
  })

  it('is told nothing by a receiver that only has what a worker needs', async () => {
    const { receiver, inbox, types } = setUp()
    receiver.on('orders.place', () => {
      throw new PermanentError('no')
    })
    await receiver.receive(PLACED)
    const { handleStored, subscriptions } = receiver
    const worker = createWorker({ receiver: { handleStored, subscriptions }, inbox, logger: recordingLogger().logger })
    await eventually(async () => expect((await inbox.statistics()).dead).toBe(1))
    await worker.stop()
    expect(types()).not.toContain('dead')
  })
})

describe('a wrapper of handlers', () => {
  const wrap = (...wrappers: NonNullable<Observer['wrapHandler']>[]) => {
    const { logger, messages } = recordingLogger()
    const observers = wrappers.map((wrapHandler) => ({ wrapHandler }))
    return { receiver: createReceiver({ secrets: SECRET, logger, observers }), messages }
  }

  it('gives a handler an async context of its own, the first one outermost', async () => {
    const storage = new AsyncLocalStorage<string>()
    const { receiver } = wrap(
      ({ handler }, run) => storage.run(`outer ${handler}`, run),
      ({ handler }, run) => storage.run(`${storage.getStore()} inner ${handler}`, run),
    )
    const seen: unknown[] = []
    receiver.on('orders.place', { name: 'erp' }, async () => {
      await sleep(1)
      seen.push(storage.getStore())
    })
    receiver.on('orders.place', { name: 'mail' }, () => seen.push(storage.getStore()))
    await receiver.receive(PLACED)
    expect(seen.sort()).toEqual(['outer erp inner erp', 'outer mail inner mail'])
  })

  it.each([
    ['returns something else', (_: unknown, run: () => unknown) => void run()],
    ['never ends', (_: unknown, run: () => unknown) => Promise.all([run(), new Promise(() => {})])],
    ['runs it twice', (_: unknown, run: () => unknown) => [run(), run()]],
    ['does not run it', () => undefined],
    ['runs it later', (_: unknown, run: () => unknown) => sleep(1).then(run)],
    [
      'throws before',
      () => {
        throw new Error('scope down')
      },
    ],
    [
      'throws after',
      (_: unknown, run: () => unknown) => {
        run()
        throw new Error('scope down')
      },
    ],
  ])('that %s changes nothing: the handler runs once', async (_, wrapHandler) => {
    const { receiver } = wrap(wrapHandler)
    const handler = vi.fn()
    expect((await receiver.on('orders.place', handler).receive(PLACED)).status).toBe(200)
    await sleep(5)
    expect(handler).toHaveBeenCalledOnce()
  })

  it('lets a query that a handler returns run once, in the context of the wrapper', async () => {
    const storage = new AsyncLocalStorage<string>()
    const { receiver } = wrap(
      (_, run) => storage.run('scope', run),
      (_, run) => run(),
    )
    const queries: unknown[] = []
    // A query builder, as of a database: it runs its query when somebody waits for it.
    const builder = {
      // biome-ignore lint/suspicious/noThenProperty: query builders have one
      then(resolve: () => void) {
        queries.push(storage.getStore())
        resolve()
      },
    }
    receiver.on('orders.place', () => builder)
    expect((await receiver.receive(PLACED)).status).toBe(200)
    expect(queries).toEqual(['scope'])
  })

  it.each([
    [
      'swallows',
      (_: unknown, run: () => unknown) => {
        try {
          run()
        } catch {}
      },
    ],
    [
      'catches',
      async (_: unknown, run: () => unknown) => {
        try {
          await run()
        } catch {}
      },
    ],
    [
      'replaces',
      async (_: unknown, run: () => unknown) => {
        try {
          await run()
        } catch {
          throw new Error('other')
        }
      },
    ],
  ])('that %s the error of a handler does not make it succeed', async (_, wrapHandler) => {
    for (const handler of [
      () => {
        throw new Error('down')
      },
      async () => {
        throw new Error('down')
      },
    ]) {
      const { receiver, messages } = wrap(wrapHandler)
      const answer = await receiver.on('orders.place', handler).receive(PLACED)
      expect(answer.status).toBe(500)
      expect(messages()).not.toContainEqual(expect.stringMatching(/observer failed/i))
    }
  })

  it('that passes on the error of a handler is not said to have failed', async () => {
    const { receiver, messages } = wrap((_, run) => run())
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    expect((await receiver.receive(PLACED)).status).toBe(500)
    expect(messages()).toEqual([expect.stringMatching(/HANDLER_FAILED/)])
  })

  it('that fails because the handler does is logged beside it', async () => {
    const { receiver, messages } = wrap((_, run) => {
      try {
        return run()
      } catch {
        throw new Error('scope down')
      }
    })
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    expect((await receiver.receive(PLACED)).status).toBe(500)
    expect(messages()).toEqual([expect.stringMatching(/observer failed/i), expect.stringMatching(/HANDLER_FAILED/)])
  })

  it('runs handlers that a store has reserved the event for, and no others', async () => {
    const names: string[] = []
    const { logger } = recordingLogger()
    const receiver = createReceiver({
      secrets: SECRET,
      logger,
      idempotency: { store: createMemoryStore() },
      observers: [
        {
          wrapHandler({ handler }, run) {
            names.push(handler)
            return run()
          },
        },
      ],
    })
    receiver.on('orders.place', { name: 'erp' }, () => {})
    await receiver.receive(PLACED)
    await receiver.receive(PLACED)
    expect(names).toEqual(['erp'])
  })
})

it('a stored trace context of another form is not told', async () => {
  const { receiver, of } = observed()
  receiver.on('orders.place', () => {})
  const stored = { topic: 'orders.place', body: bytes(JSON.stringify(CART)), receivedAt: new Date() }
  await receiver.handleStored({ ...stored, traceparent: '00-1-1-00' })
  await receiver.handleStored({ ...stored, traceparent: 7 as unknown as string })
  await receiver.handleStored({ ...stored, traceparent: TRACE })
  expect(of('received').map(({ traceparent }) => traceparent)).toEqual([undefined, undefined, TRACE])
})
