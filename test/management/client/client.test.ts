import CommerceLayer, { webhooks } from '@commercelayer/sdk'
import { createManagement } from 'hooklayer/management'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { all, LIST, ONE, rejection, scriptedApi } from '../scripted-api.ts'

const ANSWER = '{"data":[],"meta":{"record_count":0,"page_count":0}}'

/** The program's own use of the SDK: what it asked for, and with which token. */
function clientOfTheProgram() {
  const asked: unknown[] = []
  CommerceLayer({
    organization: 'theirs',
    accessToken: 'their-token',
    fetch: async (input, init) => {
      asked.push([String(input), new Headers(init?.headers).get('authorization')])
      return new Response(ANSWER)
    },
  })
  return asked
}

const THEIRS = ['https://theirs.commercelayer.io/api/webhooks?page%5Bnumber%5D=1', 'Bearer their-token']

describe('a program that uses the SDK itself', () => {
  it('keeps its client, and we ours, whichever was made first', async () => {
    const before = await scriptedApi(() => LIST)
    const one = before.manage()
    const asked = clientOfTheProgram()
    const after = await scriptedApi(() => LIST)
    const other = after.manage({ organization: 'ours' })
    await webhooks.list({ pageNumber: 1 })
    expect(asked).toEqual([THEIRS])
    expect(await all(one.webhooks.list())).toHaveLength(1)
    expect(await all(other.webhooks.list())).toHaveLength(1)
    await webhooks.list({ pageNumber: 1 })
    expect(asked).toEqual([THEIRS, THEIRS])
    expect([before.asked.length, after.asked.length]).toEqual([1, 1])
  })
})

describe('two clients', () => {
  it('each ask their own platform with their own token', async () => {
    const apis = [await scriptedApi(() => ONE), await scriptedApi(() => ONE)]
    const clients = apis.map(({ url }, index) =>
      createManagement({ organization: 'shop', accessToken: `token of ${index}`, url }),
    )
    await Promise.all(clients.map((client) => client.webhooks.retrieve('a')))
    expect(apis.map(({ asked }) => asked.map(({ headers }) => headers.authorization))).toEqual([
      ['Bearer token of 0'],
      ['Bearer token of 1'],
    ])
  })
})

describe('the url', () => {
  it('may have a path, under which all of it is', async () => {
    const { url, asked, tokenRequests, manage } = await scriptedApi(() => ONE)
    await manage({ url: `${url}/commerce-layer/` }).webhooks.retrieve('a')
    expect([asked, tokenRequests].flat().map(({ path }) => path)).toEqual([
      '/commerce-layer/api/webhooks/a',
      '/commerce-layer/oauth/token',
    ])
  })
})

describe('many calls at once', () => {
  it('may share a signal, without a warning and to the end of all', async () => {
    const warn = vi.fn()
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    const { manage } = await scriptedApi((_, number) => (number > 30 ? undefined : ONE))
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
