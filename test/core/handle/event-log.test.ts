import { PermanentError, WebhookError } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { createEventLog, logError } from '../../../src/core/handle/event-log.ts'
import { safeLogger } from '../../../src/core/logger.ts'
import { createObservation } from '../../../src/core/observe.ts'
import { recordingLogger } from '../../deliveries.ts'

function logged(error: Error, topic: string | undefined) {
  const { logger, lines } = recordingLogger()
  logError(error, topic, 1, logger)
  return lines
}

describe('an error is logged', () => {
  it('as a warning when a request is refused', () => {
    const [line] = logged(new WebhookError('SIGNATURE_MISSING'), 'orders.place')
    expect(line).toMatchObject({ level: 'warn', fields: { code: 'SIGNATURE_MISSING', topic: 'orders.place' } })
  })

  it('as an error when a genuine delivery fails', () => {
    const [line] = logged(new WebhookError('HANDLER_FAILED', { cause: 'reason' }), 'orders.place')
    expect(line).toMatchObject({
      level: 'error',
      fields: { code: 'HANDLER_FAILED', topic: 'orders.place', cause: 'reason' },
    })
  })

  it('in a line with its topic, status and code, and its hint if it has one', () => {
    const [line] = logged(new WebhookError('SIGNATURE_MISMATCH', { hint: 'The secret has changed.' }), 'orders.place')
    expect(line?.message).toMatch(/orders\.place.*401.*SIGNATURE_MISMATCH.*The secret has changed\./)
    const error = new WebhookError('SIGNATURE_MISSING')
    const [plain] = logged(error, 'orders.place')
    expect(plain?.message).toContain(error.message)
  })

  it('without a topic when none is known', () => {
    const [line] = logged(new WebhookError('METHOD_NOT_ALLOWED'), undefined)
    expect(line?.message).not.toMatch(/undefined/)
    expect(line?.fields).toEqual({ code: 'METHOD_NOT_ALLOWED' })
  })

  it('with the reason when a delivery was discarded', () => {
    const [line] = logged(new PermanentError('The order is a test.', { cause: 1 }), 'orders.place')
    expect(line).toMatchObject({ level: 'error', fields: { topic: 'orders.place', cause: 1 } })
    expect(line?.message).toMatch(/orders\.place discarded.*The order is a test\./)
  })
})

describe('the log of events', () => {
  const createLog = () => {
    const { logger, lines } = recordingLogger()
    const observation = createObservation([], createEventLog(safeLogger(logger)), logger, () => false)
    return { observation, lines }
  }
  const SUBJECT = { topic: 'orders.place', parsed: { reference: { type: 'orders', id: 'a' } }, attempt: 3 }

  it('names the topic as it came, also one that observers are not told', () => {
    const { observation, lines } = createLog()
    observation.emit('dead', SUBJECT, { code: 'PERMANENT', handler: 'erp', count: 1 })
    observation.emit('dead', { topic: 'orders.refund' }, { code: 'NO_HANDLER', count: 40 })
    observation.emit('retry-scheduled', SUBJECT, { code: 'HANDLER_FAILED', delayMs: 2000 })
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toMatchInlineSnapshot(`
      [
        "error orders.place: The delivery is a dead letter now. PERMANENT.",
        "error orders.refund: 40 deliveries are dead letters now. NO_HANDLER.",
        "debug orders.place: the next attempt is in 2000 ms.",
      ]
    `)
    expect(lines[0]?.fields).toEqual({
      topic: 'orders.place',
      resource: { type: 'orders', id: 'a' },
      attempt: 3,
      code: 'PERMANENT',
      handler: 'erp',
    })
  })

  it('says how near a circuit is', () => {
    const { observation, lines } = createLog()
    observation.emit('breaker', SUBJECT, { level: 20, consecutiveFailures: 20 })
    observation.emit('breaker', SUBJECT, { level: 'mismatch', consecutiveFailures: 10 })
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toMatchInlineSnapshot(`
      [
        "warn orders.place: 20 failures in a row. After 10 more, Commerce Layer stops sending it.",
        "warn orders.place: none of the last 10 signatures matched. Was the secret replaced?",
      ]
    `)
  })

  it('does not write what observers alone are told', () => {
    const { observation, lines } = createLog()
    observation.emit('stored', SUBJECT, { durationMs: 1 })
    observation.emit('handler-started', SUBJECT, { handler: 'erp' })
    observation.emit('refused', SUBJECT, { code: 'TOPIC_INVALID', status: 400, durationMs: 1 })
    expect(lines).toEqual([])
  })
})
