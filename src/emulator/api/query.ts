import type { Records } from '../records.ts'
import { refuse } from './errors.ts'
import { type Filter, readFilter } from './filters/filter.ts'
import { type ApiRecord, relationshipOf, schemaOf, type TypeSchema } from './schema.ts'
import { readSort } from './sort.ts'

/** What is to be written of resources. */
export interface Shape {
  /** Dotted paths of the relationships to include. */
  readonly include: readonly string[]
  /** The attributes and relationships to write, by type; all of them for a type that is not there. */
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
const MAX_PAGE_SIZE = 25

/** Deeper includes are refused, so that an answer stays within bounds: an assumption, for the documentation gives no limit. */
const MAX_INCLUDE_DEPTH = 3

/** Reads `include` and `fields[…]`; anything else is `PARAM_NOT_ALLOWED`. */
export function readShape(schema: TypeSchema, params: URLSearchParams): Shape {
  const include: string[] = []
  const fields = new Map<string, ReadonlySet<string>>()
  for (const [name, value] of lastOfEach(params)) {
    const [, type] = /^fields\[([^\]]*)\]$/.exec(name) ?? []
    if (type !== undefined) fields.set(type, readFields(type, value))
    else if (name === 'include') include.push(...readInclude(schema, value))
    else throw refuse('PARAM_NOT_ALLOWED', `${name} is not allowed.`)
  }
  return { include, fields }
}

/** Reads what can be asked of a list: `page[…]`, `sort` and `filter[q][…]` besides what {@link readShape} reads. */
export function readListQuery(schema: TypeSchema, params: URLSearchParams, records: Records): ListQuery {
  const others = new URLSearchParams()
  const page = { number: 1, size: DEFAULT_PAGE_SIZE }
  const filters: Filter[] = []
  let compare: ListQuery['compare']
  for (const [name, value] of lastOfEach(params)) {
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

/** Of a parameter given twice the last one counts, as in Rails. */
function lastOfEach(params: URLSearchParams): Map<string, string> {
  return new Map(params)
}

function readCount(name: string, value: string, max = Number.MAX_SAFE_INTEGER): number {
  const count = /^\d{1,15}$/.test(value) ? Number(value) : 0
  if (count >= 1 && count <= max) return count
  const range = max === Number.MAX_SAFE_INTEGER ? ', 1 or more' : ` from 1 to ${max}`
  throw refuse('INVALID_PAGE_VALUE', `${name} has to be a whole number${range}.`)
}

function readInclude(schema: TypeSchema, value: string): string[] {
  const paths = namesOf(value)
  for (const path of paths) {
    const names = path.split('.')
    let end = schema
    for (const name of names) {
      const relationship = relationshipOf(end, name)
      if (!relationship || names.length > MAX_INCLUDE_DEPTH) {
        throw refuse('INVALID_INCLUDE', `${path} is not a valid includable relationship of ${schema.type}.`)
      }
      end = relationship.schema()
    }
  }
  return paths
}

function readFields(type: string, value: string): ReadonlySet<string> {
  const schema = schemaOf(type)
  if (!schema) throw refuse('INVALID_FIELD', `${type} is not a valid type of fields.`)
  const names = namesOf(value)
  for (const name of names) {
    if (name !== 'id' && !Object.hasOwn(schema.attributes, name) && !relationshipOf(schema, name)) {
      throw refuse('INVALID_FIELD', `${name} is not a valid field of ${type}.`)
    }
  }
  return new Set(names)
}

function namesOf(value: string): string[] {
  return value.split(',').filter((name) => name !== '')
}
