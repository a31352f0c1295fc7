import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError, parse, verify, WebhookError } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { createDeadline } from '../../../src/core/deadline.ts'
import { dispatch, finishInTime } from '../../../src/core/handle/dispatch.ts'
import { createEventLog } from '../../../src/core/handle/event-log.ts'
import type { Handler, Registration } from '../../../src/core/handle/handlers.ts'
import { safeLogger } from '../../../src/core/logger.ts'
import { createObservation } from '../../../src/core/observe.ts'
import { CART, delivery, recordingLogger, rejection, SECRET } from '../../deliveries.ts'

const { body, headers } = delivery('orders.place', CART)
const event = await parse(await verify(body, headers, SECRET))

const toRegistration = (handler: Handler): Registration => ({
  topics: ['orders.place'],
  include: [],
  name: '',
  isNamed: false,
  handler,
})

function run(handlers: Handler[], ms = 1000) {
  const { logger, lines } = recordingLogger()
  const late: Promise<unknown>[] = []
  const outcome = (async () => {
    const observation = createObservation([], createEventLog(safeLogger(logger)), logger, () => true)
    const started = dispatch(event, handlers.map(toRegistration), logger, observation, { topic: event.topic })
    return finishInTime(started, event, createDeadline(ms), logger, (rest) => late.push(rest))
  })()
  return { outcome, late, lines, logger }
}

const createFailingHandlers = (thrown: unknown): Handler[] => [
  () => {
    throw thrown
  },
  async () => {
    throw thrown
  },
]

describe('dispatch', () => {
  it('ends as handled when all handlers have succeeded, whatever they return', async () => {
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

  it('passes the event, or a copy of it, and a context to each handler', async () => {
    const handler = vi.fn<Handler>()
    const { outcome, lines } = run([handler, handler])
    await outcome
    const [[first, context] = [], [second] = []] = handler.mock.calls
    expect(first).toBe(event)
    expect(second).toEqual(event)
    expect(second).not.toBe(event)
    context?.logger.info('sent')
    expect(lines).toMatchObject([{ message: 'sent', fields: { topic: 'orders.place', handler: expect.any(String) } }])
    expect(context?.signal.aborted).toBe(false)
  })

  it('does not acknowledge an event before a function with a `then` that a handler returned, as query builders do', async () => {
    const ended: string[] = []
    const query = (fail: boolean) =>
      Object.defineProperty(() => {}, 'then', {
        value: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) =>
          setTimeout(() => {
            ended.push('query')
            if (fail) reject(new Error('deadlock'))
            else resolve(1)
          }, 5),
      })
    await run([() => query(false)]).outcome
    expect(ended).toEqual(['query'])
    expect(await rejection(run([() => query(true)]).outcome)).toMatchObject({ cause: new Error('deadlock') })
  })

  it('runs the handlers side by side', async () => {
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

  it('waits for all handlers, even when another one fails first', async () => {
    let ended = false
    const slow: Handler = async () => {
      await sleep(15)
      ended = true
    }
    for (const fail of createFailingHandlers(new Error('failed'))) {
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
  ])('fails when a handler throws %s, which becomes the cause', async (_, thrown) => {
    for (const fail of createFailingHandlers(thrown)) {
      const error = await rejection(run([() => {}, fail]).outcome)
      expect(error).toMatchObject({ code: 'HANDLER_FAILED', status: 500, retryable: true })
      expect(error).toHaveProperty('cause', thrown)
    }
  })

  it('fails when the `then` of a returned value throws', async () => {
    const refuse = () => {
      throw new Error('trap')
    }
    const trap: Handler = () => Object.defineProperty({}, 'then', { get: refuse })
    expect(await rejection(run([trap]).outcome)).toMatchObject({ code: 'HANDLER_FAILED', cause: new Error('trap') })
  })

  it('fails with all thrown values in the cause when several handlers throw', async () => {
    const thrown = [new Error('first'), 'second', new PermanentError('third')]
    const error = await rejection(run(thrown.flatMap((one) => createFailingHandlers(one)[0] ?? [])).outcome)
    expect(error).toMatchObject({ code: 'HANDLER_FAILED', cause: { errors: thrown } })
    expect((error as WebhookError).cause).toBeInstanceOf(AggregateError)
  })

  it('ends as discarded when handlers throw only permanent errors', async () => {
    const thrown = new PermanentError('gone')
    expect(await run([() => {}, ...createFailingHandlers(thrown)]).outcome).toEqual({
      name: 'discarded',
      errors: [thrown, thrown],
    })
  })
})

describe('finishInTime', () => {
  const forever: Handler = () => new Promise(() => {})

  it('stops waiting at the deadline for handlers that do not end', async () => {
    const error = await rejection(run([forever, () => {}], 20).outcome)
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', status: 503, retryable: true })
  })

  it('aborts the signal of the handlers at the deadline, with the error as its reason', async () => {
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

  it('gives an aborted signal to a handler that reads the signal only after the deadline', async () => {
    let reason: unknown
    let goOn = () => {}
    const handler: Handler = async (_, context) => {
      await new Promise<void>((resolve) => (goOn = resolve))
      expect(context.signal.aborted).toBe(true)
      reason = context.signal.reason
    }
    const { outcome, late } = run([handler], 10)
    const error = await rejection(outcome)
    goOn()
    await late[0]
    expect(reason).toBe(error)
  })

  it('lets late handlers go on, and logs when and how they have ended', async () => {
    let fail = () => {}
    const handler: Handler = () => new Promise((_, reject) => (fail = () => reject(new Error('late failure'))))
    const { outcome, late, lines } = run([handler], 10)
    await rejection(outcome)
    expect(late).toHaveLength(1)
    expect(lines).toEqual([])
    fail()
    await late[0]
    expect(lines).toMatchObject([
      {
        level: 'warn',
        fields: { topic: 'orders.place', ms: expect.any(Number), cause: new Error('late failure') },
      },
    ])
    expect(lines[0]?.message).toMatch(/orders\.place.*after the deadline/)
  })

  it('neither logs nor waits for late handlers when all have ended in time', async () => {
    const { outcome, late, lines } = run([async () => {}, () => {}])
    await outcome
    expect([late, lines]).toEqual([[], []])
  })
})
