import type { EventCallbackQuery } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { rejection } from '../../deliveries.ts'
import { collect, startCommerceLayer, startEndpoint } from '../harness.ts'
import { type Answer, type ScriptedRequest, startScriptedApi } from '../scripted-api.ts'

interface Call {
  readonly id: string
  readonly created_at: string
}

/** Creates that many calls in each of successive milliseconds. */
function createCalls(...numbers: readonly number[]): Call[] {
  const begin = Date.parse('2026-08-01T10:00:00.000Z')
  return numbers.flatMap((number, index) =>
    Array.from({ length: number }, (_, place) => ({
      // Not in the order of creation, and in another order as text than as numbers, by which the server sorts.
      id: String(index * 1000 + place * 7 + 5),
      created_at: new Date(begin + index).toISOString(),
    })),
  )
}

/**
 * Starts an API that filters, sorts (ids as numbers) and pages a list of calls, which the test may change meanwhile.
 */
async function startApiWith(calls: Call[], onPage: (number: number) => Answer | undefined = () => undefined) {
  const api = await startScriptedApi(({ query }, number) => {
    const failure = onPage(number)
    if (failure) return failure
    const since = query.get('filter[q][created_at_gteq]') ?? ''
    const until = query.get('filter[q][created_at_lt]') ?? '9'
    const direction = query.get('sort') === '-created_at,-id' ? -1 : 1
    const size = Number(query.get('page[size]'))
    const from = (Number(query.get('page[number]')) - 1) * size
    const matching = calls
      .filter(({ created_at }) => created_at >= since && created_at < until)
      .sort(
        (a, b) =>
          direction *
          (a.created_at === b.created_at ? Number(a.id) - Number(b.id) : a.created_at < b.created_at ? -1 : 1),
      )
    const data = matching
      .slice(from, from + size)
      .map(({ id, created_at }) => ({ id, type: 'event_callbacks', attributes: { created_at } }))
    return { body: { data, meta: { record_count: matching.length, page_count: Math.ceil(matching.length / size) } } }
  })
  const list = (query?: EventCallbackQuery) => api.manage({ retries: 0 }).eventCallbacks.list(query)
  return { ...api, list }
}

const readIds = (calls: readonly Call[]) => calls.map(({ id }) => id)

const readQuery = ({ query }: ScriptedRequest) => query.toString()

describe('event callbacks', () => {
  it.each<[string, Call[]]>([
    ['there are none', []],
    ['one page holds them all', createCalls(1, 1, 1)],
    ['the last page is full', createCalls(...Array<number>(25).fill(1))],
    ['many were created in the same millisecond', createCalls(3, 1, 20, 7, 1, 1, 40, 2)],
    ['whole pages were created in the same millisecond', createCalls(1, 60, 25, 26, 1)],
    ['more than a page was created in the first millisecond', createCalls(60)],
  ])('are each listed once, in order, also when %s', async (_, calls) => {
    for (const pageSize of [1, 2, 7, 25]) {
      const { list, requests } = await startApiWith(calls)
      expect(readIds(await collect(list({ pageSize })))).toEqual(readIds(calls))
      expect(readIds(await collect(list({ pageSize, sort: '-created_at' })))).toEqual(readIds(calls).reverse())
      expect(new Set(requests.map(readQuery)).size).toBe(requests.length)
    }
  })

  it('take one request for 24 of them: the last of a page is the first of the next', async () => {
    const calls = createCalls(...Array<number>(1000).fill(1))
    const { list, requests } = await startApiWith(calls)
    expect(readIds(await collect(list()))).toEqual(readIds(calls))
    expect(requests).toHaveLength(42)
    expect(new Set(requests.map(readQuery)).size).toBe(42)
  })

  it('are requested with their webhook, the oldest first, 25 in a page', async () => {
    const { list, requests } = await startApiWith([])
    await collect(list())
    expect(Object.fromEntries(requests[0]?.query ?? [])).toEqual({
      include: 'webhook',
      sort: 'created_at,id',
      'page[number]': '1',
      'page[size]': '25',
    })
  })

  it.each<[EventCallbackQuery, Record<string, string>]>([
    [{ webhookId: 'xYZkjABcde' }, { webhook_id_in: 'xYZkjABcde' }],
    [{ webhookId: ['xYZkjABcde', 'zWkjABcdef'] }, { webhook_id_in: 'xYZkjABcde,zWkjABcdef' }],
    [{ topic: 'orders.place' }, { webhook_topic_eq: 'orders.place' }],
    [{ outcome: 'succeeded' }, { response_code_start: '2' }],
    [{ outcome: 'failed' }, { response_code_not_start: '2' }],
    [{ outcome: 'pending' }, { response_code_null: 'true' }],
    [
      { since: new Date('2026-08-01T10:00:00Z'), until: '2026-08-02' },
      { created_at_gteq: '2026-08-01T10:00:00.000Z', created_at_lt: '2026-08-02T00:00:00.000Z' },
    ],
  ])('are filtered by the API: %j', async (query, filters) => {
    const { list, requests } = await startApiWith([])
    await collect(list(query))
    const found = [...(requests[0]?.query ?? [])].flatMap(([name, value]) => {
      const filter = /^filter\[q\]\[(.*)\]$/.exec(name)?.[1]
      return filter ? [[filter, value]] : []
    })
    expect(Object.fromEntries(found)).toEqual(filters)
  })

  it('stay within `since` and `until` on every page', async () => {
    const calls = createCalls(...Array<number>(100).fill(1))
    const within = calls.slice(10, 80)
    const query = { since: calls[10]?.created_at, until: calls[80]?.created_at, pageSize: 9 }
    const { list } = await startApiWith(calls)
    expect(readIds(await collect(list(query)))).toEqual(readIds(within))
    expect(readIds(await collect(list({ ...query, sort: '-created_at' })))).toEqual(readIds(within).reverse())
  })

  it('are not requested before they are needed', async () => {
    const { list, requests } = await startApiWith(createCalls(...Array<number>(60).fill(1)))
    const calls = list()[Symbol.asyncIterator]()
    expect(requests).toHaveLength(0)
    for (let count = 0; count < 25; count++) await calls.next()
    expect(requests).toHaveLength(1)
    await calls.next()
    expect(requests).toHaveLength(2)
  })

  it('are listed once also when some are created and deleted meanwhile', async () => {
    const calls = createCalls(...Array<number>(60).fill(1))
    const before = readIds(calls)
    const newer = { created_at: '2026-08-01T11:00:00.000Z' }
    const { list } = await startApiWith(calls, (page) => {
      calls.push({ ...newer, id: `9${page}` })
      if (page === 2) calls.splice(0, 10)
      return undefined
    })
    const ascending = readIds(await collect(list({ pageSize: 10 })))
    expect(ascending.slice(0, 60)).toEqual(before)
    expect(new Set(ascending).size).toBe(ascending.length)

    const remaining = readIds(calls).slice(0, 50).reverse()
    const descending = readIds(await collect(list({ pageSize: 10, sort: '-created_at' })))
    expect(descending.filter((id) => remaining.includes(id))).toEqual(remaining)
    expect(new Set(descending).size).toBe(descending.length)
  })

  it.each(['created_at', '-created_at'] as const)(
    'by %s continue after any record, in any millisecond',
    async (sort) => {
      const calls = createCalls(2, 1, 12, 3)
      const { list } = await startApiWith(calls)
      const whole = await collect(list({ sort, pageSize: 4 }))
      for (const [index, after] of whole.entries()) {
        const rest = await collect(list({ sort, pageSize: 4, after }))
        expect(readIds(rest)).toEqual(readIds(whole).slice(index + 1))
      }
    },
  )

  it('of the same millisecond are repeated after a record that was deleted', async () => {
    const calls = createCalls(1, 3, 1)
    const [first, , deleted, ...others] = calls
    const { list } = await startApiWith(calls.filter((call) => call !== deleted))
    expect(readIds(await collect(list({ after: deleted ?? { id: '', created_at: '' } })))).toEqual(
      readIds(calls.filter((call) => call !== deleted && call !== first)),
    )
    expect(others).toHaveLength(2)
  })

  it('throw where a page fails, and continue after the last record', async () => {
    const calls = createCalls(...Array<number>(60).fill(1))
    let isDown = true
    const { manage } = await startApiWith(calls, (page) => (page === 3 && isDown ? { status: 500 } : undefined))
    const { eventCallbacks } = manage({ retries: 0 })
    const listed: Call[] = []
    const listing = (async () => {
      for await (const call of eventCallbacks.list()) listed.push(call)
    })()
    const error = await rejection(listing)
    expect(error).toMatchObject({ code: 'HTTP_500', status: 500 })
    expect(listed.length).toBeGreaterThan(25)
    isDown = false
    const rest = await collect(eventCallbacks.list({ after: listed.at(-1) }))
    expect(readIds([...listed, ...rest])).toEqual(readIds(calls))
  })

  it('start from the beginning when they are iterated again', async () => {
    const { list } = await startApiWith(createCalls(1, 1))
    const calls = list()
    expect(readIds(await collect(calls))).toEqual(readIds(await collect(calls)))
  })

  it('throw the reason of a signal that is aborted between two pages', async () => {
    const { manage } = await startApiWith(createCalls(...Array<number>(60).fill(1)))
    const controller = new AbortController()
    let count = 0
    const listing = (async () => {
      for await (const _ of manage().eventCallbacks.list({ signal: controller.signal })) {
        count++
        controller.abort(new Error('enough'))
      }
    })()
    expect(await rejection(listing)).toBe(controller.signal.reason)
    expect(count).toBe(25)
  })
})

describe('one event callback', () => {
  it('is read with its webhook, and refused by name where there is none', async () => {
    const { emulator, api } = await startCommerceLayer({ retries: 0 })
    const { url: callbackUrl } = await startEndpoint()
    const { id: webhookId } = await api.webhooks.create({ topic: 'orders.place', callbackUrl })
    const [call] = await emulator.trigger('orders.place')
    const read = await api.eventCallbacks.retrieve(String(call?.id))
    expect(read).toMatchObject({
      id: call?.id,
      response_code: '200',
      webhook: { id: webhookId, topic: 'orders.place' },
    })
    expect(await rejection(api.eventCallbacks.retrieve('xYZkjABcde'))).toMatchObject({ code: 'RECORD_NOT_FOUND' })
    expect(await rejection(api.eventCallbacks.retrieve('../webhooks'))).toBeInstanceOf(TypeError)
  })
})
