import { createReceiver, createWorker, type Inbox, type WorkerOptions } from 'hooklayer'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createScene } from '../../src/contracts/inbox/harness.ts'
import { CART, delivery, recordingLogger, SECRET, thrownBy } from '../deliveries.ts'
import { waitFor } from '../wait-for.ts'

function createShop(inbox: Inbox = createMemoryInbox()) {
  const { logger, lines } = recordingLogger()
  const receiver = createReceiver({ secrets: () => SECRET, inbox, logger })
  const work = (options: Partial<WorkerOptions> = {}) => {
    const worker = createWorker({ receiver, inbox, logger, ...options })
    onTestFinished(() => worker.stop({ timeoutMs: 0 }))
    return worker
  }
  return { receiver, lines, work }
}

const suite = { start: () => ({ open: () => createMemoryInbox() }), timeoutMs: 5000, isDurable: false }

describe('the options of a worker', () => {
  it.each([
    [{ concurrency: 0 }, 'createWorker: `concurrency` must be a whole number over 0.'],
    [{ attempts: 1.5 }, 'createWorker: `attempts` must be a whole number over 0.'],
    [{ backoffMs: -1 }, 'createWorker: `backoffMs` must be a whole number over 0.'],
    [
      { concurrencyByTopic: { 'orders.place': 0 } },
      "createWorker: `concurrencyByTopic['orders.place']` must be a whole number over 0.",
    ],
    [{ attemptTimeoutMs: 0 }, 'createWorker: `attemptTimeoutMs` must be a whole number over 0.'],
    [{ causes: 'none' }, 'createWorker: `causes` must be masked or full.'],
    [{ retries: 3 }, 'createWorker has no option `retries`.'],
    [{ inbox: undefined }, '`inbox` has no method `consume`.'],
    [{ inbox: { put: () => {} } }, '`inbox` has no method `consume`.'],
    [{ receiver: undefined }, '`receiver` has no method `handleStored`.'],
  ])('are refused when they are wrong: %j', (options, message) => {
    const { work } = createShop()
    expect(thrownBy(() => work(options as object))).toEqual(new TypeError(message))
  })
})

describe('a worker', () => {
  it('takes nothing for which its receiver has no handler, and warns', async () => {
    const { receiver, lines, work } = createShop()
    const inbox = createMemoryInbox()
    receiver.on('orders.approve', () => {})
    work({ inbox })
    for (const topic of ['orders.place', 'orders.approve']) {
      await inbox.put({
        id: topic,
        topic,
        body: Buffer.from(JSON.stringify(CART)),
        receivedAt: new Date(),
        group: undefined,
      })
    }
    await waitFor(async () =>
      expect(await inbox.statistics()).toMatchObject({ queued: 0, unhandled: 1, byTopic: { 'orders.place': {} } }),
    )
    expect(lines).toMatchObject(
      [
        { message: 'orders.approve handled' },
        {
          level: 'warn',
          message: expect.stringContaining('orders.place: Deliveries wait'),
          fields: { topic: 'orders.place' },
        },
      ].reverse(),
    )
    receiver.on('orders.*', () => {})
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, unhandled: 0, dead: 0 }))
  })

  it('limits an attempt by the longest limit of the handlers, or by its own', async () => {
    const limits: unknown[] = []
    const inbox: Inbox = createMemoryInbox()
    const { receiver, work } = createShop({
      ...inbox,
      consume(process, options) {
        limits.push(options.attemptTimeoutMs)
        return inbox.consume(process, options)
      },
    })
    receiver.on('orders.place', { attemptTimeoutMs: 900_000 }, () => {})
    receiver.on('orders.*', { attemptTimeoutMs: 1000 }, () => {})
    receiver.on('customers.create', () => {})
    work()
    work({ attemptTimeoutMs: 2000 })
    const [byDefault, own] = limits as ((topic: string) => number)[]
    const topics = ['orders.place', 'orders.approve', 'customers.create', 'skus.tagged']
    expect(topics.map((topic) => byDefault?.(topic))).toEqual([900_000, 1000, 300_000, 300_000])
    expect(topics.map((topic) => own?.(topic))).toEqual([900_000, 1000, 2000, 2000])
  })

  it('waits longer after each attempt, up to the limit, with jitter', async () => {
    const delays: number[] = []
    const inbox: Inbox = createMemoryInbox()
    const { work } = createShop({
      ...inbox,
      consume(process, options) {
        for (let attempt = 1; attempt <= 6; attempt += 1) delays.push(options.delayMs(attempt))
        return inbox.consume(process, options)
      },
    })
    work({ backoffMs: 1000, maxBackoffMs: 5000 })
    for (const [at, most] of [1000, 2000, 4000, 5000, 5000, 5000].entries()) {
      expect(delays[at]).toBeLessThanOrEqual(most)
      expect(delays[at]).toBeGreaterThanOrEqual(most / 2)
    }
    expect(new Set(delays).size).toBeGreaterThan(3)
  })

  it('aborts the signal of a handler when its time-out has passed', async () => {
    const { waitFor } = await createScene(suite)
    const { receiver, work } = createShop()
    let signal: AbortSignal | undefined
    receiver.on('orders.place', (_, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    const worker = work()
    await receiver.receive(delivery('orders.place', CART))
    await waitFor(() => expect(signal).toBeDefined())
    expect(signal?.aborted).toBe(false)
    await worker.stop({ timeoutMs: 10 })
    expect(signal?.aborted).toBe(true)
  })

  it('survives an inbox that fails, and logs it', async () => {
    const { waitFor } = await createScene(suite)
    const { logger, lines } = recordingLogger()
    const inbox = createMemoryInbox()
    const failing: Inbox = {
      ...inbox,
      consume(process, options) {
        options.onError(new Error('The disk is gone.'))
        return inbox.consume(process, options)
      },
    }
    const { receiver, work } = createShop(failing)
    const handler = vi.fn()
    receiver.on('orders.place', handler)
    work({ logger })
    await receiver.receive(delivery('orders.place', CART))
    await waitFor(() => expect(handler).toHaveBeenCalledTimes(1))
    const cause = new Error('The disk is gone.')
    expect(lines).toContainEqual({
      level: 'error',
      message: 'The inbox failed. The worker goes on.',
      fields: { cause },
    })
  })
})
