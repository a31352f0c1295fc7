import { describe, expect, it, vi } from 'vitest'
import { createDeadline } from '../../../src/core/deadline.ts'
import { WebhookError } from '../../../src/core/errors.ts'
import { admit, readBody } from '../../../src/core/http/admit.ts'
import { createBudget } from '../../../src/core/http/budget.ts'
import type { HeadersLike, WebhookRequest } from '../../../src/core/http/request.ts'
import { bytes, rejection, thrownBy } from '../../deliveries.ts'

const LIMITS = { maxBodyBytes: 10, bodyTimeoutMs: 20 }
const BUDGET = createBudget({ maxUnverified: 2, maxUnverifiedBytes: 100 })
const unread = async () => bytes('{}')

function request(method: string, headers: HeadersLike = {}, body: WebhookRequest['body'] = unread): WebhookRequest {
  return { method, headers, body }
}

describe('a request is admitted', () => {
  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'post', 'POST ', ''])(
    'only by POST, not by %j',
    (method) => {
      expect(thrownBy(() => admit(request(method), LIMITS))).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 })
    },
  )

  it.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'aes128gcm'])(
    'never with a body encoded by %s',
    (encoding) => {
      const error = thrownBy(() => admit(request('POST', { 'Content-Encoding': encoding }), LIMITS))
      expect(error).toMatchObject({ code: 'ENCODING_UNSUPPORTED', status: 415 })
    },
  )

  it.each(['identity', 'Identity', ''])('with a content-encoding of %j, which is none', (encoding) => {
    admit(request('POST', { 'content-encoding': encoding }), LIMITS)
  })

  it.each(['11', '1000000000', '1e9'])('never when it announces %s bytes, over the limit', (length) => {
    const error = thrownBy(() => admit(request('POST', { 'content-length': length }), LIMITS))
    expect(error).toMatchObject({ code: 'BODY_TOO_LARGE', status: 413 })
  })

  it.each(['10', '0', '', 'many'])('when it announces %j: the bytes that come are what counts', (length) => {
    admit(request('POST', { 'content-length': length }), LIMITS)
  })

  it('by the bytes that are there, whatever it announces', () => {
    admit(request('POST', { 'content-length': '11' }, bytes('{}')), LIMITS)
  })
})

describe('the bytes of a body', () => {
  const read = async (body: WebhookRequest['body'], deadlineMs = 1000) =>
    readBody(request('POST', {}, body), LIMITS, BUDGET, createDeadline(deadlineMs))

  it('are those that are there already', async () => {
    expect(await read('{}')).toEqual(bytes('{}'))
    expect(await read(bytes('{}'))).toEqual(bytes('{}'))
  })

  it('are read now if they are still on their way, and no more of them than are allowed', async () => {
    const body = vi.fn(async () => bytes('{}'))
    expect(await read(body)).toEqual(bytes('{}'))
    expect(await read(async () => '{}')).toEqual(bytes('{}'))
    expect(body.mock.calls).toEqual([[{ maxBytes: 10 }]])
  })

  it('may be as many as allowed, and not one more', async () => {
    expect(await read('0123456789')).toHaveLength(10)
    for (const body of ['01234567890', async () => '01234567890']) {
      expect(await rejection(read(body))).toMatchObject({ code: 'BODY_TOO_LARGE' })
    }
  })

  it('are counted as bytes, not as characters', async () => {
    expect(await read('üüüüü')).toHaveLength(10)
    expect(await rejection(read('üüüüüü'))).toMatchObject({ code: 'BODY_TOO_LARGE' })
  })

  it('are not waited for beyond the time for a body', async () => {
    expect(await rejection(read(() => new Promise(() => {})))).toMatchObject({ code: 'BODY_TIMEOUT', status: 408 })
  })

  it('are not waited for beyond the deadline either', async () => {
    const limits = { maxBodyBytes: 10, bodyTimeoutMs: 60_000 }
    const stalled = request('POST', {}, () => new Promise(() => {}))
    const reading = Promise.resolve(readBody(stalled, limits, BUDGET, createDeadline(10)))
    expect(await rejection(reading)).toMatchObject({ code: 'BODY_TIMEOUT' })
  })

  it('are missing for the reason that the bridge gives', async () => {
    const aborted = new WebhookError('BODY_ABORTED')
    expect(await rejection(read(() => Promise.reject(aborted)))).toBe(aborted)
  })
})
