import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError, WebhookError } from 'hooklayer'
import { describe, expect, it, vi } from 'vitest'
import { createDeadline } from '../../../src/core/deadline.ts'
import { type ErrorHandler, report } from '../../../src/core/handle/report.ts'
import { recordingLogger } from '../../deliveries.ts'

const NOWHERE = { topic: undefined, event: undefined, consecutiveFailures: 0 }
const PLACED = { topic: 'orders.place', event: undefined, consecutiveFailures: 0 }

async function reported(error: WebhookError | PermanentError, context = PLACED as typeof NOWHERE | typeof PLACED) {
  const { logger, lines } = recordingLogger()
  await report(error, context, [], createDeadline(100), logger)
  return lines
}

describe('an error is logged', () => {
  it('as a warning when it is the mistake of a stranger', async () => {
    const [line] = await reported(new WebhookError('SIGNATURE_MISSING'))
    expect(line).toMatchObject({ level: 'warn', fields: { code: 'SIGNATURE_MISSING', topic: 'orders.place' } })
  })

  it('as an error when it costs a genuine delivery', async () => {
    const [line] = await reported(new WebhookError('HANDLER_FAILED', { cause: 'reason' }))
    expect(line).toMatchObject({
      level: 'error',
      fields: { code: 'HANDLER_FAILED', topic: 'orders.place', cause: 'reason' },
    })
  })

  it('with topic, status and code in its line, and with the hint where there is one', async () => {
    const [line] = await reported(new WebhookError('SIGNATURE_MISMATCH', { hint: 'The secret is another.' }))
    expect(line?.message).toMatch(/orders\.place.*401.*SIGNATURE_MISMATCH.*The secret is another\./)
    const error = new WebhookError('SIGNATURE_MISSING')
    const [plain] = await reported(error)
    expect(plain?.message).toContain(error.message)
  })

  it('without a topic when none is known', async () => {
    const [line] = await reported(new WebhookError('METHOD_NOT_ALLOWED'), NOWHERE)
    expect(line?.message).not.toMatch(/undefined/)
    expect(line?.fields).toEqual({ code: 'METHOD_NOT_ALLOWED' })
  })

  it('with the reason when a delivery was discarded', async () => {
    const [line] = await reported(new PermanentError('The order is a test.', { cause: 1 }))
    expect(line).toMatchObject({ level: 'error', fields: { topic: 'orders.place', cause: 1 } })
    expect(line?.message).toMatch(/orders\.place discarded.*The order is a test\./)
  })
})

describe('error handlers', () => {
  const error = new WebhookError('HANDLER_FAILED')
  const tell = async (handlers: ErrorHandler[], ms = 100) => {
    const { logger, messages } = recordingLogger()
    await report(error, PLACED, handlers, createDeadline(ms), logger)
    return messages()
  }

  it('are told one after another, and waited for', async () => {
    const told: string[] = []
    const first: ErrorHandler = async () => {
      await sleep(10)
      told.push('first')
    }
    const second = vi.fn<ErrorHandler>(() => told.push('second'))
    await tell([first, second])
    expect(told).toEqual(['first', 'second'])
    expect(second.mock.calls).toEqual([[error, PLACED]])
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
  ] satisfies [string, ErrorHandler][])('are told although one of them %s, and that is logged', async (_, broken) => {
    const told = vi.fn<ErrorHandler>()
    const messages = await tell([broken, told], 20)
    expect(told).toHaveBeenCalledOnce()
    expect(messages).toHaveLength(2)
    expect(messages[1]).toMatch(/error handler failed/i)
  })
})
