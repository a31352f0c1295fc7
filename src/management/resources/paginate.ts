import type { QueryParamsList } from '@commercelayer/sdk'

/** The most that the API gives at once. */
export const PAGE_SIZE = 25

/** What a page of records is asked with, as the SDK takes it; `filters` are on `created_at`. */
export interface PageRequest {
  readonly filters: Readonly<Record<string, string>>
  readonly sort: ['created_at' | '-created_at', 'id' | '-id']
  readonly pageNumber: number
  readonly pageSize: NonNullable<QueryParamsList['pageSize']>
}

interface ApiRecord {
  readonly id: string
  readonly created_at: string
}

export interface PaginateOptions {
  readonly sort?: 'created_at' | '-created_at' | undefined
  /** 1 to 25, default 25. */
  readonly pageSize?: number | undefined
  /** ISO 8601; created then or later. */
  readonly since?: string | undefined
  /** ISO 8601; created before. */
  readonly until?: string | undefined
  /** Goes on behind this record. */
  readonly after?: ApiRecord | undefined
}

/**
 * Gives records in the order of their creation, page by page, each once, however many are made or changed meanwhile: a page begins
 * at the moment of the last record, not at a number that shifts. Holds one page, and the ids of one millisecond. What fails is
 * thrown where it happens, and what came before can be resumed from.
 */
export function paginate<T extends ApiRecord>(
  page: (request: PageRequest) => Promise<readonly T[]>,
  { after, ...options }: PaginateOptions,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () =>
      after ? skipUntil(records(page, options, after.created_at), after) : records(page, options, undefined),
  }
}

async function* records<T extends ApiRecord>(
  page: (request: PageRequest) => Promise<readonly T[]>,
  { sort = 'created_at', pageSize = PAGE_SIZE, since, until }: PaginateOptions,
  start: string | undefined,
): AsyncGenerator<T, void, undefined> {
  const rises = sort === 'created_at'
  let from = start
  let moment = start
  let pageNumber = 1
  /** Ids given of that very moment. They are not compared: how the server sorts ids is its business. */
  let given = new Set<string>()
  for (;;) {
    const found = await page({
      filters: rises ? between(from ?? since, until) : between(since, from === undefined ? until : justAfter(from)),
      sort: rises ? ['created_at', 'id'] : ['-created_at', '-id'],
      pageNumber,
      pageSize: pageSize as PageRequest['pageSize'],
    })
    for (const record of found) {
      if (record.created_at !== moment) given = new Set()
      else if (given.has(record.id)) continue
      moment = record.created_at
      given.add(record.id)
      yield record
    }
    if (found.length < pageSize) return
    pageNumber = moment === from ? pageNumber + 1 : 1
    from = moment
  }
}

function between(since: string | undefined, until: string | undefined): Record<string, string> {
  return { ...(since && { created_at_gteq: since }), ...(until && { created_at_lt: until }) }
}

/** The API writes milliseconds and may keep more of them, so that this alone excludes none of the moment. */
function justAfter(moment: string): string {
  return new Date(Date.parse(moment) + 1).toISOString()
}

/** Leaves out what comes up to `after`. Should that be gone, whatever has its moment comes: rather twice than never. */
async function* skipUntil<T extends ApiRecord>(
  records: AsyncIterable<T>,
  after: ApiRecord,
): AsyncGenerator<T, void, undefined> {
  let isBehind = false
  let held: T[] = []
  for await (const record of records) {
    if (isBehind) yield record
    else if (record.id === after.id) {
      held = []
      isBehind = true
    } else if (record.created_at === after.created_at) held.push(record)
    else {
      yield* held
      held = []
      isBehind = true
      yield record
    }
  }
  yield* held
}
