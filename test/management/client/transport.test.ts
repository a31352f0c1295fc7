import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect } from '../harness.ts'
import { LIST, ONE, startScriptedApi } from '../scripted-api.ts'

const UNAVAILABLE = { status: 503, body: 'down for maintenance' }

const ARGUMENTS = { topic: 'orders.place', callbackUrl: 'https://shop.example/webhooks' }

/** Finds a port that nobody listens on. */
async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

describe('a request', () => {
  it.each([
    ['an answer of 5xx', UNAVAILABLE],
    ['a lost connection', { hangUp: true }],
    ['a truncated answer', { headers: { 'content-length': '1000' }, body: '{"data":', hangUp: false }],
    ['no answer', undefined],
  ])('is retried after %s', async (what, failure) => {
    const { manage, requests } = await startScriptedApi((_, number) => (number < 3 ? failure : ONE))
    const timeoutMs = what === 'a truncated answer' || failure === undefined ? 300 : 5000
    expect(await manage({ timeoutMs }).webhooks.retrieve('xYZkjABcde')).toMatchObject({ id: 'xYZkjABcde' })
    expect(requests).toHaveLength(3)
  })

  it.each([
    ['an answer of 5xx', UNAVAILABLE, 'HTTP_503', 503],
    ['a lost connection', { hangUp: true }, 'CONNECTION_LOST', undefined],
    ['no answer', undefined, 'TIMEOUT', undefined],
  ])('that ends in %s is retried as often as `retries` says, then fails', async (_, failure, code, status) => {
    const { manage, requests } = await startScriptedApi(() => failure)
    const { webhooks } = manage({ retries: 1, timeoutMs: 100 })
    expect(await rejection(webhooks.retrieve('xYZkjABcde'))).toMatchObject({ name: 'ManagementError', code, status })
    expect(requests).toHaveLength(2)
  })

  it('is retried after pauses that grow', async () => {
    const moments: number[] = []
    const { manage } = await startScriptedApi(() => {
      moments.push(performance.now())
      return UNAVAILABLE
    })
    await rejection(manage({ retries: 3 }).webhooks.retrieve('xYZkjABcde'))
    expect(moments).toHaveLength(4)
    // The pauses are random, but those of three attempts are never shorter than 283 ms altogether.
    expect((moments[3] ?? 0) - (moments[0] ?? 0)).toBeGreaterThan(250)
  })

  it('that the API refuses is not retried', async () => {
    const { manage, requests } = await startScriptedApi(() => ({
      status: 422,
      body: { errors: [{ code: 'VALIDATION_ERROR' }] },
    }))
    await rejection(manage().webhooks.retrieve('xYZkjABcde'))
    expect(requests).toHaveLength(1)
  })

  it('that finds no server is retried, and its error is another than for a lost connection', async () => {
    const { createManagement } = await import('hooklayer/management')
    const url = `http://127.0.0.1:${await findFreePort()}`
    const { webhooks } = createManagement({ organization: 'shop', accessToken: 'mine', url, retries: 1 })
    expect(await rejection(webhooks.create(ARGUMENTS))).toMatchObject({
      code: 'UNREACHABLE',
      message: 'Commerce Layer could not be reached. (ECONNREFUSED)',
    })
  })

  it('does not follow a redirect, which could send the token to a stranger', async () => {
    const other = await startScriptedApi(() => ONE)
    const { manage } = await startScriptedApi(() => ({
      status: 307,
      headers: { location: `${other.url}/api/webhooks/a` },
    }))
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'HTTP_307' })
    expect(other.requests).toEqual([])
  })
})

describe('a request that must not be sent twice', () => {
  it.each([
    ['an answer of 5xx', UNAVAILABLE, 503],
    ['a lost connection', { hangUp: true }, undefined],
    ['no answer', undefined, undefined],
  ])('is not retried after %s, and the error says that it may have had an effect', async (_, failure, status) => {
    const { manage, requests } = await startScriptedApi(() => failure)
    const { webhooks, events } = manage({ timeoutMs: 100 })
    for (const call of [webhooks.create(ARGUMENTS), events.trigger('xYZkjABcde')]) {
      expect(await rejection(call)).toMatchObject({
        code: 'OUTCOME_UNKNOWN',
        status,
        message: expect.stringContaining('check before you try again'),
      })
    }
    expect(requests.map(({ method }) => method).sort()).toEqual(['PATCH', 'POST'])
  })

  it('is retried when the rate limit has refused it', async () => {
    const { manage, requests } = await startScriptedApi((_, number) => (number === 1 ? throttled('0.05') : ONE))
    expect(await manage().webhooks.create(ARGUMENTS)).toMatchObject({ id: 'xYZkjABcde' })
    expect(requests).toHaveLength(2)
  })
})

const throttled = (interval: string) => ({
  status: 429,
  headers: { 'x-ratelimit-interval': interval, 'x-ratelimit-remaining': '0' },
  body: { errors: { title: 'Too Many Requests', code: 'THROTTLED', status: 429 } },
})

describe('the rate limit', () => {
  it('is waited for as long as a 429 says, which does not count as a retry', async () => {
    const moments: number[] = []
    const { manage } = await startScriptedApi((_, number) => {
      moments.push(performance.now())
      return number < 4 ? throttled('0.1') : ONE
    })
    expect(await manage({ retries: 0 }).webhooks.retrieve('xYZkjABcde')).toMatchObject({ id: 'xYZkjABcde' })
    const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0))
    expect(pauses).toHaveLength(3)
    for (const pause of pauses) expect(pause).toBeGreaterThan(90)
  })

  it('is kept once an answer says that no request remains', async () => {
    const moments: number[] = []
    const { manage } = await startScriptedApi(() => {
      moments.push(performance.now())
      const remaining = moments.length === 1 ? '0' : '24'
      return { ...LIST, headers: { 'x-ratelimit-interval': '0.2', 'x-ratelimit-remaining': remaining } }
    })
    const { webhooks } = manage()
    await collect(webhooks.list())
    await Promise.all([collect(webhooks.list()), collect(webhooks.list())])
    const [first = 0, ...others] = moments
    expect(others).toHaveLength(2)
    for (const moment of others) expect(moment - first).toBeGreaterThan(190)
  })

  it('is an error at once if it would take more than two minutes', async () => {
    const { manage, requests } = await startScriptedApi(() => throttled('121'))
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({
      code: 'RATE_LIMITED',
      status: 429,
    })
    expect(requests).toHaveLength(1)
  })

  it('is no longer waited for once the signal is aborted', async () => {
    const { manage } = await startScriptedApi(() => throttled('60'))
    const signal = AbortSignal.timeout(100)
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde', { signal }))).toBe(signal.reason)
  })
})

describe('a signal', () => {
  it('that is already aborted prevents the request', async () => {
    const { manage, requests, tokenRequests } = await startScriptedApi(() => ONE)
    const signal = AbortSignal.abort(new Error('enough'))
    const { webhooks, events, eventCallbacks, health } = manage()
    for (const call of [
      () => webhooks.create(ARGUMENTS, { signal }),
      () => collect(webhooks.list({ signal })),
      () => webhooks.retrieve('a', { signal }),
      () => webhooks.update('a', { disabled: true }, { signal }),
      () => webhooks.delete('a', { signal }),
      () => webhooks.enable('a', { signal }),
      () => webhooks.disable('a', { signal }),
      () => webhooks.resetCircuit('a', { signal }),
      () => events.trigger('a', { signal }),
      () => collect(events.list({ name: 'orders.place' }, { signal })),
      () => collect(eventCallbacks.list({ signal })),
      () => health({ signal }),
    ]) {
      expect(await rejection(call())).toBe(signal.reason)
    }
    expect([requests, tokenRequests]).toEqual([[], []])
  })

  it('ends a request that is under way, and the pause before a retry', async () => {
    for (const answer of [undefined, UNAVAILABLE]) {
      const { manage } = await startScriptedApi(() => answer)
      const controller = new AbortController()
      const call = rejection(manage({ retries: 10 }).webhooks.retrieve('a', { signal: controller.signal }))
      setTimeout(() => controller.abort(new Error('enough')), 60)
      const begin = performance.now()
      expect(await call).toBe(controller.signal.reason)
      expect(performance.now() - begin).toBeLessThan(1000)
    }
  })
})
