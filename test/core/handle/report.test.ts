import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError, WebhookError } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { createDeadline } from '../../../src/core/deadline.ts'
import { type ErrorHandler, report } from '../../../src/core/handle/report.ts'
import { recordingLogger } from '../../deliveries.ts'

const WITHOUT_TOPIC = { topic: undefined, event: undefined, consecutiveFailures: 0 }
const WITH_TOPIC = { topic: 'orders.place', event: undefined, consecutiveFailures: 0 }

async function reportAndGetLines(
  error: WebhookError | PermanentError,
  context = WITH_TOPIC as typeof WITHOUT_TOPIC | typeof WITH_TOPIC,
) {
  const { logger, lines } = recordingLogger()
  await report(error, context, [], createDeadline(100), logger)
  return lines
}

describe('an error is logged', () => {
  it('as a warning when a request is refused', async () => {
    const [line] = await reportAndGetLines(new WebhookError('SIGNATURE_MISSING'))
    expect(line).toMatchObject({ level: 'warn', fields: { code: 'SIGNATURE_MISSING', topic: 'orders.place' } })
  })

  it('as an error when a genuine delivery fails', async () => {
    const [line] = await reportAndGetLines(new WebhookError('HANDLER_FAILED', { cause: 'reason' }))
    expect(line).toMatchObject({
      level: 'error',
      fields: { code: 'HANDLER_FAILED', topic: 'orders.place', cause: 'reason' },
    })
  })

  it('in a line with its topic, status and code, and its hint if it has one', async () => {
    const [line] = await reportAndGetLines(new WebhookError('SIGNATURE_MISMATCH', { hint: 'The secret has changed.' }))
    expect(line?.message).toMatch(/orders\.place.*401.*SIGNATURE_MISMATCH.*The secret has changed\./)
    const error = new WebhookError('SIGNATURE_MISSING')
    const [plain] = await reportAndGetLines(error)
    expect(plain?.message).toContain(error.message)
  })

  it('without a topic when none is known', async () => {
    const [line] = await reportAndGetLines(new WebhookError('METHOD_NOT_ALLOWED'), WITHOUT_TOPIC)
    expect(line?.message).not.toMatch(/undefined/)
    expect(line?.fields).toEqual({ code: 'METHOD_NOT_ALLOWED' })
  })

  it('with the reason when a delivery was discarded', async () => {
    const [line] = await reportAndGetLines(new PermanentError('The order is a test.', { cause: 1 }))
    expect(line).toMatchObject({ level: 'error', fields: { topic: 'orders.place', cause: 1 } })
    expect(line?.message).toMatch(/orders\.place discarded.*The order is a test\./)
  })
})

describe('error handlers', () => {
  const error = new WebhookError('HANDLER_FAILED')
  const reportTo = async (handlers: ErrorHandler[], ms = 100) => {
    const { logger, messages } = recordingLogger()
    await report(error, WITH_TOPIC, handlers, createDeadline(ms), logger)
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
    expect(second.mock.calls).toEqual([[error, WITH_TOPIC]])
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
      expect(messages).toHaveLength(2)
      expect(messages[1]).toMatch(/error handler failed/i)
    },
  )
})
