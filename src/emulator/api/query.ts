import { MAX_PAGE_SIZE } from '../../commerce-layer/limits.ts'
import type { Records } from '../records.ts'
import { refuse } from './errors.ts'
import { type Filter, readFilter } from './filters/filter.ts'
import { type ApiRecord, findRelationship, findSchema, type TypeSchema } from './schema.ts'
import { readSort } from './sort.ts'

/** The parts of resources that an answer contains. */
export interface Shape {
  /** Dotted paths of the relationships to include. */
  readonly include: readonly string[]
  /** The attributes and relationships to write, by type. A type that is absent has all of them. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>
}

export interface Page {
  /** From 1. */
  readonly number: number
  readonly size: number
}

export interface ListQuery extends Shape {
  readonly page: Page
  readonly filters: readonly Filter[]
  readonly compare: ((a: ApiRecord, b: ApiRecord) => number) | undefined
}

const DEFAULT_PAGE_SIZE = 10

/**
 * The maximum depth of includes, which bounds the size of an answer. An assumption: the documentation gives no limit.
 */
const MAX_INCLUDE_DEPTH = 3

/**
 * Reads `include` and `fields[…]`.
 *
 * @throws ApiError `PARAM_NOT_ALLOWED` for any other parameter, `INVALID_INCLUDE`, `INVALID_FIELD`.
 */
export function readShape(schema: TypeSchema, params: URLSearchParams): Shape {
  const include: string[] = []
  const fields = new Map<string, ReadonlySet<string>>()
  for (const [name, value] of indexParams(params)) {
    const [, type] = /^fields\[([^\]]*)\]$/.exec(name) ?? []
    if (type !== undefined) fields.set(type, readFields(type, value))
    else if (name === 'include') include.push(...readInclude(schema, value))
    else throw refuse('PARAM_NOT_ALLOWED', `${name} is not allowed.`)
  }
  return { include, fields }
}

/** Reads the parameters of a list: `page[…]`, `sort`, `filter[q][…]`, and those of {@link readShape}. */
export function readListQuery(schema: TypeSchema, params: URLSearchParams, records: Records): ListQuery {
  const others = new URLSearchParams()
  const page = { number: 1, size: DEFAULT_PAGE_SIZE }
  const filters: Filter[] = []
  let compare: ListQuery['compare']
  for (const [name, value] of indexParams(params)) {
    const [, pageParam] = /^page\[(number|size)\]$/.exec(name) ?? []
    const [, filterKey] = /^filter\[q\]\[([^\]]*)\]$/.exec(name) ?? []
    if (pageParam === 'number') page.number = readCount(name, value)
    else if (pageParam === 'size') page.size = readCount(name, value, MAX_PAGE_SIZE)
    else if (filterKey !== undefined) filters.push(readFilter(schema, filterKey, value, records))
    else if (name.startsWith('filter')) throw refuse('FILTER_NOT_ALLOWED', `${name} is not allowed.`)
    else if (name === 'sort') compare = readSort(schema, value)
    else others.set(name, value)
  }
  return { ...readShape(schema, others), page, filters, compare }
}

/** The parameters by name. If one is given twice, the last one counts, as in Rails. */
function indexParams(params: URLSearchParams): Map<string, string> {
  return new Map(params)
}

function readCount(name: string, value: string, max = Number.MAX_SAFE_INTEGER): number {
  const count = /^\d{1,15}$/.test(value) ? Number(value) : 0
  if (count >= 1 && count <= max) return count
  const range = max === Number.MAX_SAFE_INTEGER ? ', 1 or more' : ` from 1 to ${max}`
  throw refuse('INVALID_PAGE_VALUE', `${name} has to be a whole number${range}.`)
}

function readInclude(schema: TypeSchema, value: string): string[] {
  const paths = splitNames(value)
  for (const path of paths) {
    const names = path.split('.')
    let end = schema
    for (const name of names) {
      const relationship = findRelationship(end, name)
      if (!relationship || names.length > MAX_INCLUDE_DEPTH) {
        throw refuse('INVALID_INCLUDE', `${path} is not a valid includable relationship of ${schema.type}.`)
      }
      end = relationship.schema()
    }
  }
  return paths
}

function readFields(type: string, value: string): ReadonlySet<string> {
  const schema = findSchema(type)
  if (!schema) throw refuse('INVALID_FIELD', `${type} is not a valid type of fields.`)
  const names = splitNames(value)
  for (const name of names) {
    if (name !== 'id' && !Object.hasOwn(schema.attributes, name) && !findRelationship(schema, name)) {
      throw refuse('INVALID_FIELD', `${name} is not a valid field of ${type}.`)
    }
  }
  return new Set(names)
}

function splitNames(value: string): string[] {
  return value.split(',').filter((name) => name !== '')
}
