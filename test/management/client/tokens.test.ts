import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { all, CREDENTIALS, grantToken, LIST, ONE, rejection, type Script, scriptedApi } from '../scripted-api.ts'

const tokenOf = (number: number) => `Bearer token-${number}`

const lasting =
  (seconds: number): Script =>
  async (asked, number) => {
    const answer = await grantToken(asked, number)
    return { body: { ...Object(answer?.body), expires_in: seconds } }
  }

const INVALID_TOKEN = { status: 401, body: { errors: [{ code: 'INVALID_TOKEN', status: '401', title: 'Invalid' }] } }

describe('the token', () => {
  it('is asked for with the credentials before the first call, and kept', async () => {
    const { manage, asked, tokenRequests } = await scriptedApi(() => ONE)
    const { webhooks } = manage()
    expect(tokenRequests).toEqual([])
    await webhooks.retrieve('xYZkjABcde')
    await webhooks.retrieve('xYZkjABcde')
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
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([tokenOf(1), tokenOf(1)])
  })

  it('is asked for once, however many calls need it at the same time', async () => {
    const { manage, asked, tokenRequests } = await scriptedApi(() => ONE)
    const { webhooks } = manage()
    await Promise.all(Array.from({ length: 20 }, () => webhooks.retrieve('xYZkjABcde')))
    expect([asked.length, tokenRequests.length]).toEqual([20, 1])
  })

  it('is renewed before it expires', async () => {
    const { manage, asked } = await scriptedApi(() => ONE, lasting(0.4))
    const { webhooks } = manage()
    await webhooks.retrieve('xYZkjABcde')
    await sleep(370)
    await webhooks.retrieve('xYZkjABcde')
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([tokenOf(1), tokenOf(2)])
  })

  it('is renewed once when it is refused, for all calls that had it', async () => {
    const { manage, asked, tokenRequests } = await scriptedApi(({ headers }) =>
      headers.authorization === tokenOf(1) ? INVALID_TOKEN : ONE,
    )
    const { webhooks } = manage()
    const found = await Promise.all(Array.from({ length: 5 }, () => webhooks.retrieve('xYZkjABcde')))
    expect(found.map(({ id }) => id)).toEqual(Array(5).fill('xYZkjABcde'))
    expect([asked.length, tokenRequests.length]).toEqual([10, 2])
  })

  it('is not renewed again when the new one is refused too', async () => {
    const { manage, asked, tokenRequests } = await scriptedApi(() => INVALID_TOKEN)
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({
      code: 'INVALID_TOKEN',
      status: 401,
    })
    expect([asked.length, tokenRequests.length]).toEqual([2, 2])
  })

  it('is not renewed when the application lacks the right', async () => {
    const { manage, tokenRequests } = await scriptedApi(() => ({
      status: 401,
      body: { errors: [{ code: 'UNAUTHORIZED', detail: 'You are not authorized to perform this action.' }] },
    }))
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'UNAUTHORIZED' })
    expect(tokenRequests).toHaveLength(1)
  })

  it('is sent with the same request again when a webhook is made', async () => {
    const { manage, asked } = await scriptedApi((_, number) => (number === 1 ? INVALID_TOKEN : ONE))
    await manage().webhooks.create({ topic: 'orders.place', callbackUrl: 'https://shop.example/webhooks' })
    expect(asked.map(({ method }) => method)).toEqual(['POST', 'POST'])
    expect(asked[1]?.body).toBe(asked[0]?.body)
  })

  it('can be handed in, and is then nobody else’s to renew', async () => {
    const { url, asked, tokenRequests } = await scriptedApi((_, number) => (number === 1 ? LIST : INVALID_TOKEN))
    const { createManagement } = await import('hooklayer/management')
    const { webhooks } = createManagement({ organization: 'shop', accessToken: 'mine', url })
    expect(await all(webhooks.list())).toHaveLength(1)
    expect(await rejection(all(webhooks.list()))).toMatchObject({ code: 'INVALID_TOKEN', status: 401 })
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer mine', 'Bearer mine'])
    expect(tokenRequests).toEqual([])
  })

  it('that is not given is an error which says why, and the next call asks again', async () => {
    const { manage } = await scriptedApi(
      () => ONE,
      (asked, number) =>
        number === 1
          ? { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', title: 'invalid_client' }] } }
          : grantToken(asked, number),
    )
    const { webhooks } = manage()
    expect(await rejection(webhooks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'CREDENTIALS_REFUSED', status: 401 })
    expect(await webhooks.retrieve('xYZkjABcde')).toMatchObject({ topic: 'orders.place' })
  })

  it('is waited for no longer than the signal allows', async () => {
    const { manage } = await scriptedApi(
      () => ONE,
      () => undefined,
    )
    const signal = AbortSignal.timeout(50)
    expect(await rejection(manage().webhooks.retrieve('xYZkjABcde', { signal }))).toBe(signal.reason)
  })

  it('is asked for without anybody else meeting another global fetch', async () => {
    const before = globalThis.fetch
    const met = new Set<unknown>()
    const { manage } = await scriptedApi(
      () => ONE,
      (asked, number) => {
        met.add(globalThis.fetch)
        return grantToken(asked, number)
      },
    )
    const call = manage().webhooks.retrieve('xYZkjABcde')
    for (let turn = 0; turn < 50; turn++) {
      met.add(globalThis.fetch)
      await undefined
    }
    await call
    met.add(globalThis.fetch)
    expect([...met]).toEqual([before])
  })
})
