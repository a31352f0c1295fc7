import type { EventCallbackQuery } from 'hooklayer/management'
import { describe, expect, it } from 'vitest'
import { type Answer, type Asked, all, rejection, scriptedApi } from '../scripted-api.ts'

interface Call {
  readonly id: string
  readonly created_at: string
}

/** So many calls at the same millisecond, one after the other. */
function callsAt(...numbers: readonly number[]): Call[] {
  const begin = Date.parse('2026-08-01T10:00:00.000Z')
  return numbers.flatMap((number, index) =>
    Array.from({ length: number }, (_, place) => ({
      // Neither rising nor as text in the order of a server that sorts numbers.
      id: String(index * 1000 + place * 7 + 5),
      created_at: new Date(begin + index).toISOString(),
    })),
  )
}

/** What the platform does with such a list: bounds, order (ids as numbers), pages. Change `calls` to make something happen. */
async function platformWith(calls: Call[], onPage: (number: number) => Answer | undefined = () => undefined) {
  const api = await scriptedApi(({ query }, number) => {
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
  const list = (query?: EventCallbackQuery) => api.manage({ retries: 0 }).eventCallbacks(query)
  return { ...api, list }
}

const idsOf = (calls: readonly Call[]) => calls.map(({ id }) => id)

const pageOf = ({ query }: Asked) => query.toString()

describe('the event callbacks', () => {
  it.each<[string, Call[]]>([
    ['there are none', []],
    ['one page holds them all', callsAt(1, 1, 1)],
    ['the last page is full', callsAt(...Array<number>(25).fill(1))],
    ['many were made at the same millisecond', callsAt(3, 1, 20, 7, 1, 1, 40, 2)],
    ['whole pages were made at the same millisecond', callsAt(1, 60, 25, 26, 1)],
    ['the first millisecond has more than a page', callsAt(60)],
  ])('are each given once, in order, also when %s', async (_, calls) => {
    for (const pageSize of [1, 2, 7, 25]) {
      const { list, asked } = await platformWith(calls)
      expect(idsOf(await all(list({ pageSize })))).toEqual(idsOf(calls))
      expect(idsOf(await all(list({ pageSize, sort: '-created_at' })))).toEqual(idsOf(calls).reverse())
      expect(new Set(asked.map(pageOf)).size).toBe(asked.length)
    }
  })

  it('take a request for 24 of them, the last of a page being the first of the next', async () => {
    const calls = callsAt(...Array<number>(1000).fill(1))
    const { list, asked } = await platformWith(calls)
    expect(idsOf(await all(list()))).toEqual(idsOf(calls))
    expect(asked).toHaveLength(42)
    expect(new Set(asked.map(pageOf)).size).toBe(42)
  })

  it('are asked for with their webhook, the oldest first, 25 at once', async () => {
    const { list, asked } = await platformWith([])
    await all(list())
    expect(Object.fromEntries(asked[0]?.query ?? [])).toEqual({
      include: 'webhook',
      sort: 'created_at,id',
      'page[number]': '1',
      'page[size]': '25',
    })
  })

  it.each<[EventCallbackQuery, Record<string, string>]>([
    [{ webhookId: 'xYZkjABcde' }, { webhook_id_eq: 'xYZkjABcde' }],
    [{ topic: 'orders.place' }, { webhook_topic_eq: 'orders.place' }],
    [{ outcome: 'succeeded' }, { response_code_start: '2' }],
    [{ outcome: 'failed' }, { response_code_not_start: '2' }],
    [{ outcome: 'pending' }, { response_code_null: 'true' }],
    [
      { since: new Date('2026-08-01T10:00:00Z'), until: '2026-08-02' },
      { created_at_gteq: '2026-08-01T10:00:00.000Z', created_at_lt: '2026-08-02T00:00:00.000Z' },
    ],
  ])('are filtered by the platform: %j', async (query, filters) => {
    const { list, asked } = await platformWith([])
    await all(list(query))
    const found = [...(asked[0]?.query ?? [])].flatMap(([name, value]) => {
      const filter = /^filter\[q\]\[(.*)\]$/.exec(name)?.[1]
      return filter ? [[filter, value]] : []
    })
    expect(Object.fromEntries(found)).toEqual(filters)
  })

  it('stay within `since` and `until` on every page', async () => {
    const calls = callsAt(...Array<number>(100).fill(1))
    const within = calls.slice(10, 80)
    const query = { since: calls[10]?.created_at, until: calls[80]?.created_at, pageSize: 9 }
    const { list } = await platformWith(calls)
    expect(idsOf(await all(list(query)))).toEqual(idsOf(within))
    expect(idsOf(await all(list({ ...query, sort: '-created_at' })))).toEqual(idsOf(within).reverse())
  })

  it('are not asked for before they are needed', async () => {
    const { list, asked } = await platformWith(callsAt(...Array<number>(60).fill(1)))
    const calls = list()[Symbol.asyncIterator]()
    expect(asked).toHaveLength(0)
    for (let count = 0; count < 25; count++) await calls.next()
    expect(asked).toHaveLength(1)
    await calls.next()
    expect(asked).toHaveLength(2)
  })

  it('are given once also when new ones come and old ones go while they are listed', async () => {
    const calls = callsAt(...Array<number>(60).fill(1))
    const before = idsOf(calls)
    const newer = { created_at: '2026-08-01T11:00:00.000Z' }
    const { list } = await platformWith(calls, (page) => {
      calls.push({ ...newer, id: `9${page}` })
      if (page === 2) calls.splice(0, 10)
      return undefined
    })
    const rising = idsOf(await all(list({ pageSize: 10 })))
    expect(rising.slice(0, 60)).toEqual(before)
    expect(new Set(rising).size).toBe(rising.length)

    const left = idsOf(calls).slice(0, 50).reverse()
    const falling = idsOf(await all(list({ pageSize: 10, sort: '-created_at' })))
    expect(falling.filter((id) => left.includes(id))).toEqual(left)
    expect(new Set(falling).size).toBe(falling.length)
  })

  it.each(['created_at', '-created_at'] as const)('by %s go on behind any record, in any millisecond', async (sort) => {
    const calls = callsAt(2, 1, 12, 3)
    const { list } = await platformWith(calls)
    const whole = await all(list({ sort, pageSize: 4 }))
    for (const [index, after] of whole.entries()) {
      const rest = await all(list({ sort, pageSize: 4, after }))
      expect(idsOf(rest)).toEqual(idsOf(whole).slice(index + 1))
    }
  })

  it('come twice rather than never, behind a record that is gone', async () => {
    const calls = callsAt(1, 3, 1)
    const [first, , gone, ...others] = calls
    const { list } = await platformWith(calls.filter((call) => call !== gone))
    expect(idsOf(await all(list({ after: gone ?? { id: '', created_at: '' } })))).toEqual(
      idsOf(calls.filter((call) => call !== gone && call !== first)),
    )
    expect(others).toHaveLength(2)
  })

  it('throw where a page fails, and go on behind the last that came', async () => {
    const calls = callsAt(...Array<number>(60).fill(1))
    let isDown = true
    const { manage } = await platformWith(calls, (page) => (page === 3 && isDown ? { status: 500 } : undefined))
    const { eventCallbacks } = manage({ retries: 0 })
    const given: Call[] = []
    const listing = (async () => {
      for await (const call of eventCallbacks()) given.push(call)
    })()
    const error = await rejection(listing)
    expect(error).toMatchObject({ code: 'HTTP_500', status: 500 })
    expect(given.length).toBeGreaterThan(25)
    isDown = false
    const rest = await all(eventCallbacks({ after: given.at(-1) }))
    expect(idsOf([...given, ...rest])).toEqual(idsOf(calls))
  })

  it('begin anew when they are iterated over again', async () => {
    const { list } = await platformWith(callsAt(1, 1))
    const calls = list()
    expect(idsOf(await all(calls))).toEqual(idsOf(await all(calls)))
  })

  it('end with the reason of a signal that is aborted between two pages', async () => {
    const { manage } = await platformWith(callsAt(...Array<number>(60).fill(1)))
    const controller = new AbortController()
    let count = 0
    const listing = (async () => {
      for await (const _ of manage().eventCallbacks({ signal: controller.signal })) {
        count++
        controller.abort(new Error('enough'))
      }
    })()
    expect(await rejection(listing)).toBe(controller.signal.reason)
    expect(count).toBe(25)
  })
})
