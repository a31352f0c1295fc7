import { inspect } from 'node:util'
import { createManagement, isManagementError, ManagementError } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { inBothRuntimes } from '../../runtimes.ts'
import { collect } from '../harness.ts'
import { CREDENTIALS, ONE, startScriptedApi } from '../scripted-api.ts'

const URL_OF_SHOP = 'https://shop.example/webhooks'

describe('an error', () => {
  it('has the code, status, pointer and detail of the API’s answer', async () => {
    const { manage } = await startScriptedApi(() => ({
      status: 422,
      body: {
        errors: [
          {
            title: "can't be blank",
            detail: "topic - can't be blank",
            code: 'VALIDATION_ERROR',
            source: { pointer: '/data/attributes/topic' },
            status: '422',
            meta: { error: 'blank' },
          },
        ],
      },
    }))
    const error = await rejection(manage().webhooks.create({ topic: 'orders.place', callbackUrl: URL_OF_SHOP }))
    expect(error).toBeInstanceOf(ManagementError)
    expect(isManagementError(error)).toBe(true)
    expect(error).toMatchObject({
      name: 'ManagementError',
      code: 'VALIDATION_ERROR',
      status: 422,
      pointer: '/data/attributes/topic',
      detail: "topic - can't be blank",
      message: "Commerce Layer answered 422 VALIDATION_ERROR. topic - can't be blank (/data/attributes/topic)",
    })
    expect(error).not.toHaveProperty('cause')
  })

  it.each([
    [
      404,
      { errors: [{ code: 'RECORD_NOT_FOUND', detail: 'The requested resource was not found.' }] },
      'RECORD_NOT_FOUND',
    ],
    [400, { errors: [{ title: 'FILTER_NOT_ALLOWED', code: 'FILTER_NOT_ALLOWED' }] }, 'FILTER_NOT_ALLOWED'],
    [423, { errors: { title: 'Locked', code: 'LOCKED', status: 423 } }, 'LOCKED'],
    [409, { errors: [{ title: 'Conflict' }] }, 'HTTP_409'],
    [415, { errors: [] }, 'HTTP_415'],
    [406, {}, 'HTTP_406'],
    [403, '<html>', 'HTTP_403'],
    [400, { errors: [null] }, 'HTTP_400'],
  ])('is thrown for the status %i with the body %j', async (status, body, code) => {
    const { manage } = await startScriptedApi(() => ({ status, body }))
    expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ name: 'ManagementError', code, status })
  })

  it.each([
    ['is not JSON', '<html>'],
    ['is empty', ''],
    ['is truncated JSON', '{"data":'],
    ['is a number', '7'],
    ['has no data', '{}'],
    ['has data but no record count', '{"data":[]}'],
  ])('is thrown for a body with the status 200 that %s', async (_, body) => {
    const { manage } = await startScriptedApi(() => ({ body }))
    const { webhooks, health } = manage()
    for (const call of [collect(webhooks.list()), webhooks.retrieve('a'), health()]) {
      expect(await rejection(call)).toMatchObject({ code: 'RESPONSE_INVALID' })
    }
  })

  it('is thrown when the answer to a token request holds no token', async () => {
    for (const body of ['<html>', '{}', '{"access_token":7,"expires_in":7200}', '{"access_token":"a"}']) {
      const { manage } = await startScriptedApi(
        () => ONE,
        () => ({ body }),
      )
      expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ code: 'RESPONSE_INVALID' })
    }
    const { manage } = await startScriptedApi(
      () => ONE,
      () => ({ status: 403, body: '<html>' }),
    )
    expect(await rejection(manage().webhooks.retrieve('a'))).toMatchObject({ code: 'HTTP_403', status: 403 })
  })

  it('is recognized whichever copy of the package made it', async () => {
    for (const [, copy] of await inBothRuntimes(() => import('hooklayer/management'))) {
      expect(isManagementError(new copy.ManagementError('TIMEOUT'))).toBe(true)
    }
    expect([null, 7, new Error('other')].map(isManagementError)).toEqual([false, false, false])
  })
})

describe('no token, secret or payload', () => {
  it('shows in a client or in an error', async () => {
    const secrets = [CREDENTIALS.clientSecret, 'token-1', 'token-2', 'the-access-token', 'the-metadata', 'the-body']
    const show = (value: unknown) =>
      inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })
    const answers = [
      { status: 422, body: { errors: [{ code: 'VALIDATION_ERROR' }] } },
      { status: 401, body: { errors: [{ code: 'INVALID_TOKEN' }] } },
      { status: 500, body: 'the-body' },
      { body: 'the-body' },
      { hangUp: true },
      undefined,
    ]
    const shown: string[] = []
    for (const answer of answers) {
      const { manage, url } = await startScriptedApi(() => answer)
      const withToken = createManagement({
        organization: 'shop',
        accessToken: 'the-access-token',
        url,
        retries: 0,
        timeoutMs: 100,
      })
      for (const management of [manage({ retries: 0, timeoutMs: 100 }), withToken]) {
        const { webhooks } = management
        const metadata = { note: 'the-metadata' }
        shown.push(
          show(await rejection(webhooks.create({ topic: 'orders.place', callbackUrl: URL_OF_SHOP, metadata }))),
          show(await rejection(webhooks.retrieve('a'))),
          show(management),
        )
      }
    }
    const refused = await startScriptedApi(
      () => ONE,
      () => ({ status: 401, body: { error_description: CREDENTIALS.clientSecret } }),
    )
    shown.push(show(await rejection(refused.manage().webhooks.retrieve('a'))))
    expect(shown.filter((text) => text.includes('ManagementError')).length).toBeGreaterThan(20)
    for (const text of shown) for (const secret of secrets) expect(text).not.toContain(secret)
  })
})

describe('arguments', () => {
  const loose = (options: object) => () => createManagement(options as never)

  it.each([
    [{}, 'createManagement: `organization` is missing.'],
    [
      { ...CREDENTIALS, organization: 'shop.example/' },
      'createManagement: `organization` must be a slug such as my-brand.',
    ],
    [{ organization: 'shop' }, 'createManagement: `clientId` is missing.'],
    [{ organization: 'shop', clientId: 'id' }, 'createManagement: `clientSecret` is missing.'],
    [{ ...CREDENTIALS, clientSecret: ' ' }, 'createManagement: `clientSecret` must not be empty.'],
    [{ organization: 'shop', accessToken: undefined }, 'createManagement: `accessToken` is missing.'],
    [{ ...CREDENTIALS, clientID: 'id' }, 'createManagement has no option `clientID`. Did you mean `clientId`?'],
    [
      { ...CREDENTIALS, clientId: undefined, clientID: 'id' },
      'createManagement has no option `clientID`. Did you mean `clientId`?',
    ],
    [{ organization: 'shop', accessToken: 7 }, 'createManagement: `accessToken` must be a string or a function.'],
    [{ ...CREDENTIALS, accessToken: 'token' }, 'createManagement has no option `clientId`.'],
    [{ ...CREDENTIALS, domain: 'commercelayer.io' }, 'createManagement has no option `domain`.'],
    [
      { ...CREDENTIALS, url: 'http://api.example' },
      'createManagement: `url` must start with https://, unless its host is loopback.',
    ],
    [
      { ...CREDENTIALS, url: 'https://a:b@api.example' },
      'createManagement: `url` must not hold a user name or password.',
    ],
    [{ ...CREDENTIALS, url: 'nonsense' }, 'createManagement: `url` must be a URL.'],
    [{ ...CREDENTIALS, timeoutMs: 0 }, 'createManagement: `timeoutMs` must be a whole number, from 1 to 600000.'],
    [{ ...CREDENTIALS, retries: 11 }, 'createManagement: `retries` must be a whole number, from 0 to 10.'],
    [{ ...CREDENTIALS, retries: '3' }, 'createManagement: `retries` must be a whole number, from 0 to 10.'],
  ])('of createManagement: %j are refused', (options, message) => {
    expect(loose(options)).toThrow(new TypeError(message))
  })

  it('of createManagement that are undefined count as not given', () => {
    expect(loose({ ...CREDENTIALS, url: undefined, accessToken: undefined, retries: undefined })).not.toThrow()
  })

  it.each(['http://localhost:4000', 'http://127.0.0.1:4000/', 'http://[::1]:4000', 'https://api.example/path'])(
    'of createManagement: the url %s is accepted',
    (url) => {
      expect(loose({ ...CREDENTIALS, url })).not.toThrow()
    },
  )

  it('are checked before any request is sent', async () => {
    const { manage, requests, tokenRequests } = await startScriptedApi(() => ONE)
    const { webhooks, eventCallbacks, events, health } = manage()
    const args = { topic: 'orders.place', callbackUrl: URL_OF_SHOP }
    const wrong: [() => unknown, string][] = [
      [() => webhooks.create({} as never), 'webhooks.create: `topic` is missing.'],
      [
        () => webhooks.create({ ...args, topic: 'orders' }),
        'webhooks.create: `topic` must be a topic such as orders.place.',
      ],
      [() => webhooks.create({ topic: 'orders.place' } as never), 'webhooks.create: `callbackUrl` is missing.'],
      [
        () => webhooks.create({ ...args, callbackUrl: 'http://shop.example' }),
        'webhooks.create: `callbackUrl` must start with https://, unless its host is loopback.',
      ],
      [
        () => webhooks.create({ ...args, includeResources: ['line_items.item', 'Customer'] }),
        'webhooks.create: `includeResources.1` must be a path such as line_items.item.',
      ],
      [() => webhooks.create({ ...args, metadata: [] as never }), 'webhooks.create: `metadata` must be an object.'],
      [() => webhooks.create({ ...args, disabled: 1 as never }), 'webhooks.create: `disabled` must be true or false.'],
      [() => webhooks.create({ ...args, url: 'x' } as never), 'webhooks.create has no option `url`.'],
      [() => webhooks.create(args, { signal: {} as never }), 'webhooks.create: `signal` must be an AbortSignal.'],
      [
        () => webhooks.update('a', { topic: 'orders' }),
        'webhooks.update: `topic` must be a topic such as orders.place.',
      ],
      [() => webhooks.update('../a', {}), 'webhooks.update: `id` must be an id.'],
      [() => webhooks.retrieve(undefined as never), 'webhooks.retrieve: `id` is missing.'],
      [() => webhooks.delete('a/b'), 'webhooks.delete: `id` must be an id.'],
      [() => webhooks.enable(''), 'webhooks.enable: `id` must be an id.'],
      [() => webhooks.disable('a?b'), 'webhooks.disable: `id` must be an id.'],
      [() => webhooks.resetCircuit('a#'), 'webhooks.resetCircuit: `id` must be an id.'],
      [() => webhooks.list({ page: 1 } as never), 'webhooks.list has no option `page`.'],
      [() => events.trigger('%2e'), 'events.trigger: `id` must be an id.'],
      [() => events.list({} as never), 'events.list: `name` is missing.'],
      [
        () => eventCallbacks.list({ since: 'yesterday' }),
        'eventCallbacks.list: `since` must be a Date, or a string with a date.',
      ],
      [
        () => eventCallbacks.list({ until: new Date('?') }),
        'eventCallbacks.list: `until` must be a Date, or a string with a date.',
      ],
      [
        () => eventCallbacks.list({ outcome: 'lost' as never }),
        'eventCallbacks.list: `outcome` must be failed or succeeded or pending.',
      ],
      [
        () => eventCallbacks.list({ pageSize: 26 }),
        'eventCallbacks.list: `pageSize` must be a whole number, from 1 to 25.',
      ],
      [
        () => eventCallbacks.list({ sort: 'id' as never }),
        'eventCallbacks.list: `sort` must be created_at or -created_at.',
      ],
      [
        () => eventCallbacks.list({ after: { id: 'a', created_at: 'then' } }),
        'eventCallbacks.list: `after.created_at` must be a Date, or a string with a date.',
      ],
      [() => health({ since: 1 } as never), 'health has no option `since`.'],
    ]
    for (const [call, message] of wrong) {
      expect(await rejection((async () => call())())).toEqual(new TypeError(message))
    }
    expect([requests, tokenRequests]).toEqual([[], []])
  })
})
