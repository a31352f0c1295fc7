import { checkNames } from '../core/check-options.ts'
import type { ResourceReference } from '../drivers.ts'
import type { RecordQuery } from './record.ts'
import type { StatisticsQuery } from './records.ts'

const OUTCOMES: readonly unknown[] = ['handled', 'queued', 'duplicate', 'ignored', 'discarded', 'failed', 'refused']
const SOURCES: readonly unknown[] = ['request', 'inbox', 'redelivery', 'sender']
const MAX_LIMIT = 500
const DEFAULT_LIMIT = 50
const MAX_SPANS = 10_000

const isText = (value: unknown) => typeof value === 'string'
const isDate = (value: unknown) => value instanceof Date && !Number.isNaN(value.getTime())

const MEMBERS: Readonly<Record<string, readonly [expected: string, isValid: (value: unknown) => boolean]>> = {
  search: ['text', isText],
  topic: ['text', isText],
  outcome: ['an outcome, or a list of them', (value) => [value].flat().every((one) => OUTCOMES.includes(one))],
  code: ['text', isText],
  source: [SOURCES.join(' or '), (value) => SOURCES.includes(value)],
  since: ['a date', isDate],
  until: ['a date', isDate],
  deliveryId: ['text', isText],
  before: ['the id of a record', (value) => typeof value === 'string' && toNumber(value) !== undefined],
  limit: [
    `a whole number from 1 to ${MAX_LIMIT}`,
    (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_LIMIT,
  ],
}

export interface CheckedQuery extends Omit<RecordQuery, 'outcome' | 'before' | 'limit' | 'search'> {
  readonly outcomes: readonly string[] | undefined
  /** The number of the record. */
  readonly before: number
  readonly limit: number
  /** Without white space at its ends, and in lower case; `undefined` if nothing is left. */
  readonly search: string | undefined
}

/** @throws TypeError that names the member, and says what it must be. */
export function checkQuery(query: RecordQuery = {}): CheckedQuery {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  checkNames('list', Object.keys(query), Object.keys(MEMBERS))
  for (const [name, value] of given) {
    const [expected, isValid] = MEMBERS[name] ?? []
    if (!isValid?.(value)) throw new TypeError(`list: \`${name}\` must be ${expected}.`)
  }
  const { outcome, before, limit = DEFAULT_LIMIT, search, ...others } = query
  return {
    ...others,
    outcomes: outcome && [outcome].flat(),
    before: before === undefined ? Number.POSITIVE_INFINITY : Number(toNumber(before)),
    limit,
    search: search?.trim().toLowerCase() || undefined,
  }
}

/** @throws TypeError */
export function checkStatisticsQuery({ since, spanMs }: StatisticsQuery): void {
  if (!isDate(since)) throw new TypeError('statistics: `since` must be a date.')
  const isSpan = Number.isSafeInteger(spanMs) && spanMs > 0 && (Date.now() - since.getTime()) / spanMs <= MAX_SPANS
  if (!isSpan) throw new TypeError(`statistics: \`spanMs\` must be a whole number, of at most ${MAX_SPANS} spans.`)
}

/** @throws TypeError */
export function checkReference({ type, id }: ResourceReference): void {
  if (!isText(type) || !isText(id)) throw new TypeError('erase: a resource with `type` and `id` is needed.')
}

const DIGITS = 12

/** Ids sort as their numbers do. */
export function toId(number: number): string {
  return String(number).padStart(DIGITS, '0')
}

/** The number of an id; `undefined` if it is none. */
export function toNumber(id: string): number | undefined {
  return /^\d{12,15}$/.test(id) ? Number(id) : undefined
}
