import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError, parse, verify, WebhookError } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { createDeadline } from '../../../src/core/deadline.ts'
import { dispatch, finishInTime } from '../../../src/core/handle/dispatch.ts'
import type { Handler, Registration } from '../../../src/core/handle/handlers.ts'
import { CART, delivery, recordingLogger, rejection, SECRET } from '../../deliveries.ts'

const { body, headers } = delivery('orders.place', CART)
const event = await parse(await verify(body, headers, SECRET))

const registered = (handler: Handler): Registration => ({ topics: ['orders.place'], include: [], name: '', handler })

function run(handlers: Handler[], ms = 1000) {
  const { logger, lines } = recordingLogger()
  const late: Promise<unknown>[] = []
  const outcome = (async () => {
    const started = dispatch(event, handlers.map(registered), logger)
    return finishInTime(started, event, createDeadline(ms), logger, (rest) => late.push(rest))
  })()
  return { outcome, late, lines, logger }
}

const failing = (thrown: unknown): Handler[] => [
  () => {
    throw thrown
  },
  async () => {
    throw thrown
  },
]

describe('an event with handlers', () => {
  it('is handled when all have succeeded, whatever they return', async () => {
    const thenable = Object.defineProperty({}, 'then', { value: (resolve: (value: unknown) => void) => resolve(1) })
    const values: unknown[] = [
      undefined,
      null,
      0,
      'text',
      {},
      Object.fromEntries([['then', 1]]),
      false,
      () => {},
      Promise.resolve(1),
      thenable,
    ]
    const { outcome } = run(values.map((value) => () => value))
    expect(await outcome).toEqual({ name: 'handled', errors: [] })
  })

  it('hands each of them the event and a context', async () => {
    const handler = vi.fn<Handler>()
    const { outcome, logger } = run([handler, handler])
    await outcome
    const [[first, context] = [], [second] = []] = handler.mock.calls
    expect(first).toBe(event)
    expect(second).toBe(event)
    expect(context?.logger).toBe(logger)
    expect(context?.signal.aborted).toBe(false)
  })

  it('runs them side by side', async () => {
    let running = 0
    let most = 0
    const handler: Handler = async () => {
      running += 1
      most = Math.max(most, running)
      await sleep(5)
      running -= 1
    }
    await run([handler, handler, handler]).outcome
    expect(most).toBe(3)
  })

  it('waits for all of them, whichever fails first', async () => {
    let ended = false
    const slow: Handler = async () => {
      await sleep(15)
      ended = true
    }
    for (const fail of failing(new Error('failed'))) {
      ended = false
      await rejection(run([fail, slow]).outcome)
      expect(ended).toBe(true)
    }
  })

  it.each([
    ['an Error', new Error('failed')],
    ['an Error with a status', Object.assign(new Error('failed'), { status: 404 })],
    ['text', 'failed'],
    ['an emoji', new Error('💥')],
    ['null', null],
    ['undefined', undefined],
    ['a WebhookError', new WebhookError('TOPIC_INVALID')],
  ])('fails when one of them throws %s, which is the cause', async (_, thrown) => {
    for (const fail of failing(thrown)) {
      const error = await rejection(run([() => {}, fail]).outcome)
      expect(error).toMatchObject({ code: 'HANDLER_FAILED', status: 500, retryable: true })
      expect(error).toHaveProperty('cause', thrown)
    }
  })

  it('fails when the promise that one of them gives cannot be asked', async () => {
    const refuse = () => {
      throw new Error('trap')
    }
    const trap: Handler = () => Object.defineProperty({}, 'then', { get: refuse })
    expect(await rejection(run([trap]).outcome)).toMatchObject({ code: 'HANDLER_FAILED', cause: new Error('trap') })
  })

  it('fails with all that was thrown as the cause', async () => {
    const thrown = [new Error('first'), 'second', new PermanentError('third')]
    const error = await rejection(run(thrown.flatMap((one) => failing(one)[0] ?? [])).outcome)
    expect(error).toMatchObject({ code: 'HANDLER_FAILED', cause: { errors: thrown } })
    expect((error as WebhookError).cause).toBeInstanceOf(AggregateError)
  })

  it('is discarded when all that was thrown is permanent', async () => {
    const thrown = new PermanentError('gone')
    expect(await run([() => {}, ...failing(thrown)]).outcome).toEqual({ name: 'discarded', errors: [thrown, thrown] })
  })
})

describe('the deadline of an event', () => {
  const forever: Handler = () => new Promise(() => {})

  it('ends the wait for handlers that do not end', async () => {
    const error = await rejection(run([forever, () => {}], 20).outcome)
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', status: 503, retryable: true })
  })

  it('aborts the signal that they were given, with the reason', async () => {
    const signals: AbortSignal[] = []
    const aborted: unknown[] = []
    const handler: Handler = (_, { signal }) => {
      signals.push(signal)
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(aborted.push(signal.reason))))
    }
    const { outcome } = run([handler, handler], 20)
    const error = await rejection(outcome)
    expect(aborted).toEqual([error, error])
    expect(signals[0]).toBe(signals[1])
  })

  it('is to be seen by a handler that asks for the signal only then', async () => {
    let reason: unknown
    const handler: Handler = async (_, context) => {
      await sleep(30)
      expect(context.signal.aborted).toBe(true)
      reason = context.signal.reason
    }
    const { outcome, late } = run([handler], 10)
    const error = await rejection(outcome)
    await late[0]
    expect(reason).toBe(error)
  })

  it('leaves the late handlers to end, and logs when and how they did', async () => {
    const handler: Handler = async () => {
      await sleep(30)
      throw new Error('late failure')
    }
    const { outcome, late, lines } = run([handler], 10)
    await rejection(outcome)
    expect(late).toHaveLength(1)
    expect(lines).toEqual([])
    await late[0]
    expect(lines).toMatchObject([
      {
        level: 'warn',
        fields: { topic: 'orders.place', ms: expect.any(Number), failures: [new Error('late failure')] },
      },
    ])
    expect(lines[0]?.message).toMatch(/orders\.place.*after the deadline/)
  })

  it('has nothing to abort and nobody to wait for when all have ended in time', async () => {
    const { outcome, late, lines } = run([async () => {}, () => {}])
    await outcome
    expect([late, lines]).toEqual([[], []])
  })
})
