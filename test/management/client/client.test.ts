import CommerceLayer, { webhooks } from '@commercelayer/sdk'
import { createManagement } from 'hooklayer/management'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect } from '../harness.ts'
import { LIST, ONE, startScriptedApi } from '../scripted-api.ts'

const ANSWER = '{"data":[],"meta":{"record_count":0,"page_count":0}}'

/** Makes the program's own client of the SDK, and records its requests and their tokens. */
function createProgramClient() {
  const requests: unknown[] = []
  CommerceLayer({
    organization: 'theirs',
    accessToken: 'their-token',
    fetch: async (input, init) => {
      requests.push([String(input), new Headers(init?.headers).get('authorization')])
      return new Response(ANSWER)
    },
  })
  return requests
}

const PROGRAM_REQUEST = ['https://theirs.commercelayer.io/api/webhooks?page%5Bnumber%5D=1', 'Bearer their-token']

describe('a program that uses the SDK itself', () => {
  it('keeps its own client, whether hooklayer’s is created before or after it', async () => {
    const before = await startScriptedApi(() => LIST)
    const one = before.manage()
    const requests = createProgramClient()
    const after = await startScriptedApi(() => LIST)
    const other = after.manage({ organization: 'ours' })
    await webhooks.list({ pageNumber: 1 })
    expect(requests).toEqual([PROGRAM_REQUEST])
    expect(await collect(one.webhooks.list())).toHaveLength(1)
    expect(await collect(other.webhooks.list())).toHaveLength(1)
    await webhooks.list({ pageNumber: 1 })
    expect(requests).toEqual([PROGRAM_REQUEST, PROGRAM_REQUEST])
    expect([before.requests.length, after.requests.length]).toEqual([1, 1])
  })
})

describe('two clients', () => {
  it('each call their own API with their own token', async () => {
    const apis = [await startScriptedApi(() => ONE), await startScriptedApi(() => ONE)]
    const clients = apis.map(({ url }, index) =>
      createManagement({ organization: 'shop', accessToken: `token of ${index}`, url }),
    )
    await Promise.all(clients.map((client) => client.webhooks.retrieve('a')))
    expect(apis.map(({ requests }) => requests.map(({ headers }) => headers.authorization))).toEqual([
      ['Bearer token of 0'],
      ['Bearer token of 1'],
    ])
  })
})

describe('the option `url`', () => {
  it('may have a path, which all requests then start with', async () => {
    const { url, requests, tokenRequests, manage } = await startScriptedApi(() => ONE)
    await manage({ url: `${url}/commerce-layer/` }).webhooks.retrieve('a')
    expect([requests, tokenRequests].flat().map(({ path }) => path)).toEqual([
      '/commerce-layer/api/webhooks/a',
      '/commerce-layer/oauth/token',
    ])
  })
})

describe('many calls at once', () => {
  it('may share a signal without a warning, and are all aborted by it', async () => {
    const warn = vi.fn()
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    const { manage } = await startScriptedApi((_, number) => (number > 30 ? undefined : ONE))
    const { webhooks } = manage()
    const controller = new AbortController()
    const retrieve = () => webhooks.retrieve('a', { signal: controller.signal })
    await Promise.all(Array.from({ length: 30 }, retrieve))
    const waiting = Array.from({ length: 30 }, () => rejection(retrieve()))
    setTimeout(() => controller.abort(new Error('enough')), 50)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([controller.signal.reason]))
    expect(warn).not.toHaveBeenCalled()
  })
})
