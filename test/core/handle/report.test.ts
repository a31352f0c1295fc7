import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, WebhookError } from 'hooklayer'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createDeadline } from '../../../src/core/deadline.ts'
import { createReports, type ErrorHandler } from '../../../src/core/handle/report.ts'
import { ERRORS } from '../../../src/core/outcomes.ts'
import { recordingLogger } from '../../deliveries.ts'

const WITHOUT_TOPIC = { topic: undefined, event: undefined, consecutiveFailures: 0 }
const WITH_TOPIC = { topic: 'orders.place', event: undefined, consecutiveFailures: 0 }

describe('error handlers', () => {
  const error = new WebhookError('HANDLER_FAILED')
  const reportTo = async (handlers: ErrorHandler[], ms = 100) => {
    const { logger, messages } = recordingLogger()
    const reports = createReports(logger, () => false)
    for (const handler of handlers) reports.onError(handler)
    await reports.report(error, WITH_TOPIC, createDeadline(ms))
    return messages()
  }

  it('are called one after another, and awaited', async () => {
    const called: string[] = []
    const first: ErrorHandler = async () => {
      await sleep(10)
      called.push('first')
    }
    const second = vi.fn<ErrorHandler>(() => called.push('second'))
    await reportTo([first, second])
    expect(called).toEqual(['first', 'second'])
    expect(second.mock.calls).toEqual([[error, { ...WITH_TOPIC, count: 1 }]])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('tracker down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('tracker down'))],
    ['rejects with nothing', () => Promise.reject(undefined)],
    ['never ends', () => new Promise(() => {})],
  ] satisfies [string, ErrorHandler][])(
    'are called even when one before them %s, which is logged',
    async (_, broken) => {
      const next = vi.fn<ErrorHandler>()
      const messages = await reportTo([broken, next], 20)
      expect(next).toHaveBeenCalledOnce()
      expect(messages).toEqual([expect.stringMatching(/error handler failed/i)])
    },
  )
})

describe('refused requests', () => {
  const now = vi.spyOn(performance, 'now')
  afterAll(() => now.mockRestore())

  const MINUTE_MS = 60_000
  const refusal = (code: ErrorCode) => new WebhookError(code)

  function createHarness() {
    now.mockReturnValue(0)
    const { logger, lines } = recordingLogger()
    const heard: [code: string, count: number][] = []
    const asked: [code: string, count: number][] = []
    const reports = createReports(logger, (topic) => topic.startsWith('orders.'))
    reports.onError((error, { count }) => heard.push([(error as WebhookError).code, count]))
    reports.onError((error, { count }) => asked.push([(error as WebhookError).code, count]), { unverified: true })
    const refuse = async (code: ErrorCode, topic?: string, times = 1) => {
      for (let i = 0; i < times; i += 1) {
        const error = refusal(code)
        await reports.refuse(error, { ...WITHOUT_TOPIC, topic }, createDeadline(100))?.(error)
      }
    }
    return { lines, heard, asked, refuse }
  }

  it('of strangers are logged once a minute with their count, and not heard by an error handler that does not ask', async () => {
    const { lines, heard, asked, refuse } = createHarness()
    await refuse('SIGNATURE_MISSING', undefined, 1000)
    expect(lines).toHaveLength(1)
    now.mockReturnValue(MINUTE_MS)
    await refuse('SIGNATURE_MISSING')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatchObject({ level: 'warn', fields: { code: 'SIGNATURE_MISSING', count: 1000 } })
    expect(lines[1]?.message).toMatch(/SIGNATURE_MISSING.* 999 more/)
    expect(heard).toEqual([])
    expect(asked).toHaveLength(1001)
    expect(new Set(asked.map(String))).toEqual(new Set(['SIGNATURE_MISSING,1']))
  })

  it.each(['SIGNATURE_MISMATCH', 'SECRET_UNKNOWN'] as const)(
    'of a topic with a handler are heard at once for %s, and then once a minute with their count',
    async (code) => {
      const { lines, heard, refuse } = createHarness()
      await refuse(code, 'orders.place', 30)
      await refuse(code, 'orders.pay')
      await refuse(code, 'skus.create')
      now.mockReturnValue(MINUTE_MS)
      await refuse(code, 'orders.place')
      expect(heard).toEqual([
        [code, 1],
        [code, 1],
        [code, 30],
      ])
      expect(lines).toHaveLength(4)
    },
  )

  it('for which the server is the cause are heard at once, and then once a minute', async () => {
    const { heard, refuse } = createHarness()
    await refuse('BODY_ALREADY_PARSED', undefined, 3)
    await refuse('OVERLOADED', 'orders.place', 3)
    expect(heard).toEqual([
      ['BODY_ALREADY_PARSED', 1],
      ['OVERLOADED', 1],
    ])
  })

  it('do not cause more than 16 lines a minute, whatever their codes and topics', async () => {
    const { lines, refuse } = createHarness()
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      for (let i = 0; i < 100; i += 1) await refuse(code, `orders.t${i}`)
    }
    expect(lines.length).toBeLessThanOrEqual(16)
  })

  it('are examined only if they are reported', () => {
    createHarness()
    const reports = createReports(recordingLogger().logger, () => true)
    const refuse = () => reports.refuse(refusal('SIGNATURE_MISMATCH'), WITH_TOPIC, createDeadline(100))
    expect(refuse()).toBeTypeOf('function')
    expect(refuse()).toBeUndefined()
  })
})
