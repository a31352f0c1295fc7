import { type ErrorCode, WebhookError } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { respond, respondError } from '../../src/core/http/respond.ts'
import { ERRORS, OUTCOMES } from '../../src/core/outcomes.ts'

const codes = Object.keys(ERRORS) as ErrorCode[]
const listStatuses = (codes: readonly ErrorCode[]) =>
  Object.fromEntries(codes.map((code) => [code, new WebhookError(code).status]))

describe('the table of outcomes', () => {
  it('answers 2xx to every accepted delivery, because anything else counts toward the circuit breaker', () => {
    const statuses = Object.keys(OUTCOMES).map((name) => respond(name as keyof typeof OUTCOMES).status)
    expect(statuses).toEqual([200, 202, 200, 200, 200])
  })

  it('gives each error its status', () => {
    expect(listStatuses(codes)).toEqual({
      METHOD_NOT_ALLOWED: 405,
      BODY_TOO_LARGE: 413,
      ENCODING_UNSUPPORTED: 415,
      BODY_ABORTED: 400,
      BODY_TIMEOUT: 408,
      BODY_ALREADY_PARSED: 500,
      BODY_DAMAGED: 500,
      SIGNATURE_MISSING: 401,
      SIGNATURE_MISMATCH: 401,
      SECRET_UNKNOWN: 401,
      TOPIC_MISSING: 400,
      TOPIC_INVALID: 400,
      TOPIC_MISMATCH: 400,
      DOCUMENT_INVALID: 400,
      INCLUDE_MISSING: 500,
      NO_HANDLER: 503,
      HANDLER_FAILED: 500,
      INTERNAL_ERROR: 500,
      IN_PROGRESS: 409,
      DEADLINE_EXCEEDED: 503,
      STORE_UNAVAILABLE: 503,
      OVERLOADED: 503,
      SHUTTING_DOWN: 503,
    })
  })

  it('marks 408 and 503 as retryable, and no error that the sender would have to fix', () => {
    for (const code of codes) {
      const { status, retryable } = new WebhookError(code)
      if (status === 408 || status === 503) expect(retryable, code).toBe(true)
      if ([401, 405, 413, 415].includes(status)) expect(retryable, code).toBe(false)
    }
  })

  it('has a different message for each error: a sentence of at most 120 characters', () => {
    const messages = codes.map((code) => new WebhookError(code).message)
    expect(new Set(messages).size).toBe(codes.length)
    for (const message of messages) expect(message).toMatch(/^[A-Z].{10,120}\.$/)
  })
})

describe('the answer', () => {
  it('to an accepted delivery holds its outcome', () => {
    expect(respond('handled')).toEqual({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"outcome":"handled"}',
    })
  })

  it('to SECRET_UNKNOWN is that to SIGNATURE_MISMATCH, so that a stranger does not learn which topics have a secret', () => {
    const unknown = new WebhookError('SECRET_UNKNOWN', { message: 'message', hint: 'hint' })
    expect(respondError(unknown)).toEqual(respondError(new WebhookError('SIGNATURE_MISMATCH')))
  })

  const isTold = (code: ErrorCode) => code !== 'SECRET_UNKNOWN'
  it.each(codes.filter(isTold))('to %s holds its code and message, and nothing else', (code) => {
    const error = new WebhookError(code, { hint: 'hint', cause: new Error('cause') })
    const { status, headers, body } = respondError(error)
    expect(status).toBe(error.status)
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body)).toEqual({ error: { code, message: error.message } })
  })

  it('has an Allow header with 405, and a Retry-After header with 503', () => {
    for (const code of codes) {
      const { status, headers } = respondError(new WebhookError(code))
      expect(headers.allow).toBe(status === 405 ? 'POST' : undefined)
      expect(headers['retry-after']).toEqual(status === 503 ? expect.stringMatching(/^\d+$/) : undefined)
    }
  })

  it('has headers that cannot be changed, because all answers share them', () => {
    expect(() => Object.assign(respond('handled').headers, { evil: '1' })).toThrow(TypeError)
    expect(respond('handled').headers).not.toHaveProperty('evil')
  })
})
