import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { all, LIST, ONE, rejection, scriptedApi } from '../scripted-api.ts'

const DOWN = { status: 503, body: 'down for maintenance' }

const ARGUMENTS = { topic: 'orders.place', callbackUrl: 'https://shop.example/webhooks' }

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

describe('a request', () => {
  it.each([
    ['an answer of 5xx', DOWN],
    ['a broken connection', { hangUp: true }],
    ['an answer that breaks off', { headers: { 'content-length': '1000' }, body: '{"data":', hangUp: false }],
    ['no answer', undefined],
  ])('is made again after %s', async (what, failure) => {
    const { manage, asked } = await scriptedApi((_, number) => (number < 3 ? failure : ONE))
    const timeoutMs = what === 'an answer that breaks off' || failure === undefined ? 50 : 5000
    expect(await manage({ timeoutMs }).webhooks.retrieve('xYZkjABcde')).toMatchObject({ id: 'xYZkjABcde' })
    expect(asked).toHaveLength(3)
  })

  it.each([
    ['an answer of 5xx', DOWN, 'HTTP_503', 503],
    ['a broken connection', { hangUp: true }, 'CONNECTION_LOST', undefined],
    ['no answer', undefined, 'TIMEOUT', undefined],
  ])('that ends in %s is made as often as `retries` says, then given up', async (_, failure, code, status) => {
    const { manage, asked } = await scriptedApi(() => failure)
    const { webhooks } = manage({ retries: 1, timeoutMs: 100 })
    expect(await rejection(webhooks.retrieve('xYZkjABcde'))).toMatchObject({ name: 'ManagementError', code, status })
    expect(asked).toHaveLength(2)
  })

  it('pauses between attempts, for longer and longer', async () => {
    const moments: number[] = []
    const { manage } = await scriptedApi(() => {
      moments.push(performance.now())
      return DOWN
    })
    await rejection(manage({ retries: 3 }).webhooks.retrieve('xYZkjABcde'))
    expect(moments).toHaveLength(4)
    // The pauses are random, but those of three attempts are never shorter than 283 ms altogether.
    expect((moments[3] ?? 0) - (moments[0] ?? 0)).toBeGreaterThan(250)
  })

  it('that is wrong is not made again', async () => {
    const { manage, asked } = await scriptedApi(() => ({
      status: 422,
      body: { errors: [{ code: 'VALIDATION_ERROR' }] },
    }))
    await rejection(manage().webhooks.retrieve('xYZkjABcde'))
    expect(asked).toHaveLength(1)
  })

  it('to nobody is made again, and told from a connection that was lost', async () => {
    const { createManagement } = await import('hooklayer/management')
    const url = `http://127.0.0.1:${await freePort()}`
    const { webhooks } = createManagement({ organization: 'shop', accessToken: 'mine', url, retries: 1 })
    expect(await rejection(webhooks.create(ARGUMENTS))).toMatchObject({
      code: 'UNREACHABLE',
      message: 'Commerce Layer could not be reached. (ECONNREFUSED)',
    })
  })

  it('is not redirected, for its token could go astray', async () => {
    const other = await scriptedApi(() => ONE)
    const { manage } = await scriptedApi(() => ({ status: 307, headers: { location: `${other.url}/api/webhooks/a` } }))
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'HTTP_307' })
    expect(other.asked).toEqual([])
  })
})

describe('what counts each time', () => {
  it.each([
    ['an answer of 5xx', DOWN, 503],
    ['a broken connection', { hangUp: true }, undefined],
    ['no answer', undefined, undefined],
  ])('is not done again after %s, and the error says that it may have been done', async (_, failure, status) => {
    const { manage, asked } = await scriptedApi(() => failure)
    const { webhooks, events } = manage({ timeoutMs: 100 })
    for (const call of [webhooks.create(ARGUMENTS), events.trigger('xYZkjABcde')]) {
      expect(await rejection(call)).toMatchObject({
        code: 'OUTCOME_UNKNOWN',
        status,
        message: expect.stringContaining('look before you try again'),
      })
    }
    expect(asked.map(({ method }) => method).sort()).toEqual(['PATCH', 'POST'])
  })

  it('is done again when the rate limit kept it from being done', async () => {
    const { manage, asked } = await scriptedApi((_, number) => (number === 1 ? throttled('0.05') : ONE))
    expect(await manage().webhooks.create(ARGUMENTS)).toMatchObject({ id: 'xYZkjABcde' })
    expect(asked).toHaveLength(2)
  })
})

const throttled = (interval: string) => ({
  status: 429,
  headers: { 'x-ratelimit-interval': interval, 'x-ratelimit-remaining': '0' },
  body: { errors: { title: 'Too Many Requests', code: 'THROTTLED', status: 429 } },
})

describe('the rate limit', () => {
  it('is waited for as long as a 429 says, which costs no retry', async () => {
    const moments: number[] = []
    const { manage } = await scriptedApi((_, number) => {
      moments.push(performance.now())
      return number < 4 ? throttled('0.1') : ONE
    })
    expect(await manage({ retries: 0 }).webhooks.retrieve('xYZkjABcde')).toMatchObject({ id: 'xYZkjABcde' })
    const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0))
    expect(pauses).toHaveLength(3)
    for (const pause of pauses) expect(pause).toBeGreaterThan(90)
  })

  it('is not run into once an answer says that nothing remains', async () => {
    const moments: number[] = []
    const { manage } = await scriptedApi(() => {
      moments.push(performance.now())
      const remaining = moments.length === 1 ? '0' : '24'
      return { ...LIST, headers: { 'x-ratelimit-interval': '0.2', 'x-ratelimit-remaining': remaining } }
    })
    const { webhooks } = manage()
    await all(webhooks.list())
    await Promise.all([all(webhooks.list()), all(webhooks.list())])
    const [first = 0, ...others] = moments
    expect(others).toHaveLength(2)
    for (const moment of others) expect(moment - first).toBeGreaterThan(190)
  })

  it('that leaves no room for more than two minutes is an error at once', async () => {
    const { manage, asked } = await scriptedApi(() => throttled('121'))
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({
      code: 'RATE_LIMITED',
      status: 429,
    })
    expect(asked).toHaveLength(1)
  })

  it('is waited for no longer than the signal allows', async () => {
    const { manage } = await scriptedApi(() => throttled('60'))
    const signal = AbortSignal.timeout(100)
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde', { signal }))).toBe(signal.reason)
  })
})

describe('a signal', () => {
  it('that is aborted beforehand keeps the request from being made', async () => {
    const { manage, asked, tokenRequests } = await scriptedApi(() => ONE)
    const signal = AbortSignal.abort(new Error('enough'))
    const { webhooks, events, eventCallbacks, health } = manage()
    for (const call of [
      () => webhooks.create(ARGUMENTS, { signal }),
      () => all(webhooks.list({ signal })),
      () => webhooks.retrieve('a', { signal }),
      () => webhooks.update('a', { disabled: true }, { signal }),
      () => webhooks.delete('a', { signal }),
      () => webhooks.enable('a', { signal }),
      () => webhooks.disable('a', { signal }),
      () => webhooks.resetCircuit('a', { signal }),
      () => events.trigger('a', { signal }),
      () => all(events.list({ name: 'orders.place' }, { signal })),
      () => all(eventCallbacks({ signal })),
      () => health({ signal }),
    ]) {
      expect(await rejection(call())).toBe(signal.reason)
    }
    expect([asked, tokenRequests]).toEqual([[], []])
  })

  it('ends a request that is under way, and the pause before the next attempt', async () => {
    for (const answer of [undefined, DOWN]) {
      const { manage } = await scriptedApi(() => answer)
      const controller = new AbortController()
      const call = rejection(manage({ retries: 10 }).webhooks.retrieve('a', { signal: controller.signal }))
      setTimeout(() => controller.abort(new Error('enough')), 60)
      const begin = performance.now()
      expect(await call).toBe(controller.signal.reason)
      expect(performance.now() - begin).toBeLessThan(1000)
    }
  })
})
