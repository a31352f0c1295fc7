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

describe('admit', () => {
  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get', 'POST ', ''])(
    'refuses the method %j, because only POST is allowed',
    (method) => {
      expect(thrownBy(() => admit(request(method), LIMITS))).toMatchObject({ code: 'METHOD_NOT_ALLOWED', status: 405 })
    },
  )

  it.each(['POST', 'post', 'Post'])('accepts the method %s', (method) => {
    admit(request(method), LIMITS)
  })

  it.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'aes128gcm'])(
    'refuses the content-encoding %s',
    (encoding) => {
      const error = thrownBy(() => admit(request('POST', { 'Content-Encoding': encoding }), LIMITS))
      expect(error).toMatchObject({ code: 'ENCODING_UNSUPPORTED', status: 415 })
    },
  )

  it.each(['identity', 'Identity', ''])('accepts the content-encoding %j, which encodes nothing', (encoding) => {
    admit(request('POST', { 'content-encoding': encoding }), LIMITS)
  })

  it.each(['11', '1000000000', '1e9'])('refuses a content-length of %s, which is over the limit', (length) => {
    const error = thrownBy(() => admit(request('POST', { 'content-length': length }), LIMITS))
    expect(error).toMatchObject({ code: 'BODY_TOO_LARGE', status: 413 })
  })

  it.each(['10', '0', '', 'many'])(
    'accepts a content-length of %j: the bytes are counted when they arrive',
    (length) => {
      admit(request('POST', { 'content-length': length }), LIMITS)
    },
  )

  it('ignores the content-length of a body that has already arrived', () => {
    admit(request('POST', { 'content-length': '11' }, bytes('{}')), LIMITS)
  })
})

describe('readBody', () => {
  const read = async (body: WebhookRequest['body'], deadlineMs = 1000) =>
    readBody(request('POST', {}, body), LIMITS, BUDGET, createDeadline(deadlineMs))

  it('gives the bytes of a body that has already arrived', async () => {
    expect(await read('{}')).toEqual(bytes('{}'))
    expect(await read(bytes('{}'))).toEqual(bytes('{}'))
  })

  it('reads a body that has not arrived yet, and passes on the limit', async () => {
    const body = vi.fn(async () => bytes('{}'))
    expect(await read(body)).toEqual(bytes('{}'))
    expect(await read(async () => '{}')).toEqual(bytes('{}'))
    expect(body.mock.calls).toEqual([[expect.objectContaining({ maxBytes: 10 })]])
  })

  it('accepts as many bytes as the limit, and not one more', async () => {
    expect(await read('0123456789')).toHaveLength(10)
    for (const body of ['01234567890', async () => '01234567890']) {
      expect(await rejection(read(body))).toMatchObject({ code: 'BODY_TOO_LARGE' })
    }
  })

  it('counts bytes, not characters', async () => {
    expect(await read('üüüüü')).toHaveLength(10)
    expect(await rejection(read('üüüüüü'))).toMatchObject({ code: 'BODY_TOO_LARGE' })
  })

  it('stops waiting after `bodyTimeoutMs`', async () => {
    expect(await rejection(read(() => new Promise(() => {})))).toMatchObject({ code: 'BODY_TIMEOUT', status: 408 })
  })

  it('stops waiting at the deadline, if it comes before `bodyTimeoutMs` has passed', async () => {
    const limits = { maxBodyBytes: 10, bodyTimeoutMs: 60_000 }
    const stalled = request('POST', {}, () => new Promise(() => {}))
    const reading = Promise.resolve(readBody(stalled, limits, BUDGET, createDeadline(10)))
    expect(await rejection(reading)).toMatchObject({ code: 'BODY_TIMEOUT' })
  })

  it('rejects with the error of the bridge when reading fails', async () => {
    const aborted = new WebhookError('BODY_ABORTED')
    expect(await rejection(read(() => Promise.reject(aborted)))).toBe(aborted)
  })
})
