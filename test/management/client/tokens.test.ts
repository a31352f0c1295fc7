import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect } from '../harness.ts'
import { CREDENTIALS, grantToken, LIST, ONE, type Script, startScriptedApi } from '../scripted-api.ts'

const authorization = (number: number) => `Bearer token-${number}`

const grantTokenFor =
  (seconds: number): Script =>
  async (request, number) => {
    const answer = await grantToken(request, number)
    return { body: { ...Object(answer?.body), expires_in: seconds } }
  }

const INVALID_TOKEN = { status: 401, body: { errors: [{ code: 'INVALID_TOKEN', status: '401', title: 'Invalid' }] } }

describe('the token', () => {
  it('is requested with the credentials before the first call, and kept', async () => {
    const { manage, requests, tokenRequests } = await startScriptedApi(() => ONE)
    const { webhooks } = manage()
    expect(tokenRequests).toEqual([])
    await webhooks.retrieve('xYZkjABcde')
    await webhooks.retrieve('xYZkjABcde')
    expect(tokenRequests.map(({ headers }) => headers['content-type'])).toEqual(['application/json'])
    expect(tokenRequests.map(({ method, body }) => [method, JSON.parse(body)])).toEqual([
      [
        'POST',
        {
          grant_type: 'client_credentials',
          client_id: CREDENTIALS.clientId,
          client_secret: CREDENTIALS.clientSecret,
        },
      ],
    ])
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([authorization(1), authorization(1)])
  })

  it('is requested once, however many calls need it at the same time', async () => {
    const { manage, requests, tokenRequests } = await startScriptedApi(() => ONE)
    const { webhooks } = manage()
    await Promise.all(Array.from({ length: 20 }, () => webhooks.retrieve('xYZkjABcde')))
    expect([requests.length, tokenRequests.length]).toEqual([20, 1])
  })

  it('is renewed before it expires', async () => {
    const { manage, requests } = await startScriptedApi(() => ONE, grantTokenFor(0.4))
    const { webhooks } = manage()
    await webhooks.retrieve('xYZkjABcde')
    await sleep(370)
    await webhooks.retrieve('xYZkjABcde')
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([authorization(1), authorization(2)])
  })

  it('is renewed once when it is refused, for all calls that used it', async () => {
    const { manage, requests, tokenRequests } = await startScriptedApi(({ headers }) =>
      headers.authorization === authorization(1) ? INVALID_TOKEN : ONE,
    )
    const { webhooks } = manage()
    const found = await Promise.all(Array.from({ length: 5 }, () => webhooks.retrieve('xYZkjABcde')))
    expect(found.map(({ id }) => id)).toEqual(Array(5).fill('xYZkjABcde'))
    expect([requests.length, tokenRequests.length]).toEqual([10, 2])
  })

  it('is not renewed again when the new one is refused too', async () => {
    const { manage, requests, tokenRequests } = await startScriptedApi(() => INVALID_TOKEN)
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({
      code: 'INVALID_TOKEN',
      status: 401,
    })
    expect([requests.length, tokenRequests.length]).toEqual([2, 2])
  })

  it('is not renewed when the application lacks a permission', async () => {
    const { manage, tokenRequests } = await startScriptedApi(() => ({
      status: 401,
      body: { errors: [{ code: 'UNAUTHORIZED', detail: 'You are not authorized to perform this action.' }] },
    }))
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'UNAUTHORIZED' })
    expect(tokenRequests).toHaveLength(1)
  })

  it('is renewed while a webhook is created, and the same request is sent again', async () => {
    const { manage, requests } = await startScriptedApi((_, number) => (number === 1 ? INVALID_TOKEN : ONE))
    await manage().webhooks.create({ topic: 'orders.place', callbackUrl: 'https://shop.example/webhooks' })
    expect(requests.map(({ method }) => method)).toEqual(['POST', 'POST'])
    expect(requests[1]?.body).toBe(requests[0]?.body)
  })

  it('can be passed as an option, and is then not renewed', async () => {
    const { url, requests, tokenRequests } = await startScriptedApi((_, number) =>
      number === 1 ? LIST : INVALID_TOKEN,
    )
    const { createManagement } = await import('hooklayer/management')
    const { webhooks } = createManagement({ organization: 'shop', accessToken: 'mine', url })
    expect(await collect(webhooks.list())).toHaveLength(1)
    expect(await rejection(collect(webhooks.list()))).toMatchObject({ code: 'INVALID_TOKEN', status: 401 })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer mine', 'Bearer mine'])
    expect(tokenRequests).toEqual([])
  })

  it('can come from a function, which is asked again with the token that was refused', async () => {
    const { url, requests, tokenRequests } = await startScriptedApi(({ headers }) =>
      headers.authorization === 'Bearer old' ? INVALID_TOKEN : ONE,
    )
    const { createManagement } = await import('hooklayer/management')
    const asked: unknown[] = []
    const accessToken = async (refused?: string) => {
      asked.push(refused)
      return refused === 'old' ? 'new' : 'old'
    }
    const { webhooks } = createManagement({ organization: 'shop', accessToken, url })
    await webhooks.retrieve('xYZkjABcde')
    await webhooks.retrieve('xYZkjABcde')
    expect(asked).toEqual([undefined, 'old', 'old'])
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new', 'Bearer new'])
    expect(tokenRequests).toEqual([])
  })

  it.each<[string, () => unknown, string | undefined]>([
    ['throws', () => Promise.reject(new Error('The vault\nis sealed.')), 'The vault\\u{a}is sealed.'],
    ['throws no error', () => Promise.reject('sealed'), undefined],
    ['gives nothing', () => undefined, 'What it gave is not a token.'],
    ['gives a header', () => 'token\r\nx-evil: 1', 'What it gave is not a token.'],
    ['never answers', () => new Promise(() => {}), 'It took longer than `timeoutMs`.'],
  ])('is missing if the function %s, and no request is sent', async (_, accessToken, detail) => {
    const { url, requests } = await startScriptedApi(() => ONE)
    const { createManagement } = await import('hooklayer/management')
    const options = { organization: 'shop', accessToken: accessToken as () => string, url, timeoutMs: 100 }
    const { webhooks } = createManagement(options)
    expect(await rejection(webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'ACCESS_TOKEN_MISSING', detail })
    expect(requests).toEqual([])
    const signal = AbortSignal.timeout(10)
    if (!detail?.includes('timeoutMs')) return
    expect(await rejection(webhooks.retrieve('xYZkjABcde', { signal }))).toBe(signal.reason)
  })

  it('is requested again by the next call after the credentials were refused', async () => {
    const { manage } = await startScriptedApi(
      () => ONE,
      (request, number) =>
        number === 1
          ? { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', title: 'invalid_client' }] } }
          : grantToken(request, number),
    )
    const { webhooks } = manage()
    expect(await rejection(webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'CREDENTIALS_REFUSED', status: 401 })
    expect(await webhooks.retrieve('xYZkjABcde')).toMatchObject({ topic: 'orders.place' })
  })

  it('is no longer waited for once the signal is aborted', async () => {
    const { manage } = await startScriptedApi(
      () => ONE,
      () => undefined,
    )
    const signal = AbortSignal.timeout(50)
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde', { signal }))).toBe(signal.reason)
  })

  it('is requested without a change of the global fetch', async () => {
    const before = globalThis.fetch
    const seen = new Set<unknown>()
    const { manage } = await startScriptedApi(
      () => ONE,
      (request, number) => {
        seen.add(globalThis.fetch)
        return grantToken(request, number)
      },
    )
    const call = manage().webhooks.retrieve('xYZkjABcde')
    for (let turn = 0; turn < 50; turn++) {
      seen.add(globalThis.fetch)
      await undefined
    }
    await call
    seen.add(globalThis.fetch)
    expect([...seen]).toEqual([before])
  })

  it('is kept for a shorter time when the same token comes again with a smaller `expires_in`', async () => {
    const answers = [
      { access_token: 'first', expires_in: 0.5 },
      { access_token: 'first', expires_in: 0.2 },
      { access_token: 'second', expires_in: 7200 },
    ]
    const { manage, requests, tokenRequests } = await startScriptedApi(
      () => ONE,
      (_, number) => ({ body: answers[number - 1] }),
    )
    const { webhooks } = manage()
    for (const waitMs of [0, 460, 190]) {
      await sleep(waitMs)
      await webhooks.retrieve('xYZkjABcde')
    }
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer first',
      'Bearer second',
    ])
    expect(tokenRequests).toHaveLength(3)
  })

  it('is requested again after a temporary failure', async () => {
    const { manage, tokenRequests } = await startScriptedApi(
      () => ONE,
      (request, number) => (number === 1 ? { status: 503, body: 'down' } : grantToken(request, number)),
    )
    expect(await manage().webhooks.retrieve('xYZkjABcde')).toMatchObject({ id: 'xYZkjABcde' })
    expect(tokenRequests).toHaveLength(2)
  })

  it('is requested again when the rate limit of token requests allows it', async () => {
    const { manage, tokenRequests } = await startScriptedApi(
      () => ONE,
      (request, number) =>
        number === 1 ? { status: 429, headers: { 'x-ratelimit-interval': '0.05' } } : grantToken(request, number),
    )
    expect(await manage({ retries: 0 }).webhooks.retrieve('xYZkjABcde')).toMatchObject({ id: 'xYZkjABcde' })
    expect(tokenRequests).toHaveLength(2)
  })
})
