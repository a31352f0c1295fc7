import type { QueryParamsList } from '@commercelayer/sdk'
import { ManagementError } from '../client/errors.ts'

/** The most records that the API gives in one page. */
export const PAGE_SIZE = 25

/** The parameters of a page, as the SDK takes them; `filters` are on `created_at`. */
interface PageRequest {
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
  /** ISO 8601; created at this time or later. */
  readonly since?: string | undefined
  /** ISO 8601; created before this time. */
  readonly until?: string | undefined
  /** Continues after this record. */
  readonly after?: ApiRecord | undefined
  /** More records than these are no answer of Commerce Layer. Default: any number. */
  readonly maxRecords?: number | undefined
}

type ReadPage<T> = (request: PageRequest) => Promise<readonly T[]>

/**
 * Lists records in the order of their creation, page by page. Each comes exactly once, however many are created or
 * changed meanwhile: a page starts at the time of the last record, not at a page number, which would shift. It holds
 * one page, and the ids of one millisecond in memory. A page that fails throws; the iteration can be continued after
 * the last record.
 *
 * @throws ManagementError `RESPONSE_INVALID` for an API that brings nothing new any more, and for a record without a
 * time: the iteration would never end.
 */
export function paginate<T extends ApiRecord>(
  readPage: ReadPage<T>,
  { after, ...options }: PaginateOptions,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () =>
      after
        ? skipUntil(readRecords(readPage, options, after.created_at), after)
        : readRecords(readPage, options, undefined),
  }
}

async function* readRecords<T extends ApiRecord>(
  readPage: ReadPage<T>,
  { sort = 'created_at', pageSize = PAGE_SIZE, since, until, maxRecords = Number.POSITIVE_INFINITY }: PaginateOptions,
  start: string | undefined,
): AsyncGenerator<T, void, undefined> {
  const isAscending = sort === 'created_at'
  let from = start
  let moment = start
  let pageNumber = 1
  let count = 0
  let hadNews = true
  /** The ids of `moment` that were given. They are not compared: only the server knows how it sorts ids. */
  let given = new Set<string>()
  for (;;) {
    const records = await readPage({
      filters: isAscending
        ? filterByTime(from ?? since, until)
        : filterByTime(since, from === undefined ? until : justAfter(from)),
      sort: isAscending ? ['created_at', 'id'] : ['-created_at', '-id'],
      pageNumber,
      pageSize: pageSize as PageRequest['pageSize'],
    })
    const before = count
    for (const record of records) {
      const time = readTime(record)
      if (from !== undefined && isBefore(time, Date.parse(from), isAscending)) continue
      if (moment === undefined || isBefore(Date.parse(moment), time, isAscending)) {
        moment = record.created_at
        given = new Set()
      }
      if (given.has(record.id)) continue
      if (time === Date.parse(moment)) given.add(record.id)
      if (++count > maxRecords) throw new ManagementError('RESPONSE_INVALID', { detail: 'The list does not end.' })
      yield record
    }
    if (records.length < pageSize) return
    // One page may repeat what was given: the first page of a moment. A second one repeats itself for ever.
    if (count === before && !hadNews) {
      throw new ManagementError('RESPONSE_INVALID', { detail: 'The pages of the list repeat.' })
    }
    hadNews = count > before
    // A whole page of one moment: only the page number leads on.
    pageNumber = moment === from ? pageNumber + 1 : 1
    from = moment
  }
}

/** As the API writes times. `Date.parse` also accepts text that is no time. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

function readTime({ created_at }: ApiRecord): number {
  const time = TIME.test(created_at) ? Date.parse(created_at) : Number.NaN
  if (Number.isNaN(time)) throw new ManagementError('RESPONSE_INVALID', { detail: 'A record has no `created_at`.' })
  return time
}

function isBefore(time: number, other: number, isAscending: boolean): boolean {
  return isAscending ? time < other : time > other
}

function filterByTime(since: string | undefined, until: string | undefined): Record<string, string> {
  return { ...(since && { created_at_gteq: since }), ...(until && { created_at_lt: until }) }
}

/**
 * One millisecond later. The API writes milliseconds but may store microseconds, so a smaller step could leave out
 * records of the moment.
 */
function justAfter(moment: string): string {
  return new Date(Date.parse(moment) + 1).toISOString()
}

/**
 * Leaves out the records up to and including `after`. If `after` is gone, all records of its moment come again: twice
 * is better than never.
 */
async function* skipUntil<T extends ApiRecord>(
  records: AsyncIterable<T>,
  after: ApiRecord,
): AsyncGenerator<T, void, undefined> {
  let isPast = false
  let sameMoment: T[] = []
  for await (const record of records) {
    if (isPast) yield record
    else if (record.id === after.id) {
      sameMoment = []
      isPast = true
    } else if (record.created_at === after.created_at) sameMoment.push(record)
    else {
      yield* sameMoment
      sameMoment = []
      isPast = true
      yield record
    }
  }
  yield* sameMoment
}
