import type { Records } from '../../records.ts'
import { refuse } from '../errors.ts'
import { type ApiRecord, type AttributeKind, attributeOf, isList, type TypeSchema } from '../schema.ts'
import { findPredicate } from './predicates.ts'

/** Whether a record is among those asked for. */
export type Filter = (record: ApiRecord) => boolean

/** An attribute as a filter names it: of the type itself, or at the end of a relationship. */
interface FilterAttribute {
  readonly kind: AttributeKind
  read(record: ApiRecord): unknown
}

/**
 * One `filter[q][<attributes>_<predicate>]=<value>` as a function. Attributes are joined by `_or_` or by `_and_`; where a key
 * has both, the first of them counts, as in Ransack. A blank value is no condition: everything passes.
 *
 * @throws ApiError `FILTER_NOT_ALLOWED` for attributes and predicates that are not documented, `INVALID_FILTER_VALUE`.
 */
export function readFilter(schema: TypeSchema, key: string, value: string, records: Records): Filter {
  const found = findPredicate(key)
  if (!found) throw notAllowed(key)
  const { predicate } = found
  const filters = found.attributes.split(/_and_|_or_/).flatMap((name): Filter[] => {
    const attribute = findAttribute(schema, name, records)
    if (!attribute || !suits(predicate.of, attribute.kind)) throw notAllowed(key)
    const test = predicate.toTest(value, attribute.kind)
    return test ? [(record) => test(attribute.read(record))] : []
  })
  if (filters.length === 0) return () => true
  const isEither = /_(and|or)_/.exec(found.attributes)?.[1] === 'or'
  return (record) => (isEither ? filters.some((filter) => filter(record)) : filters.every((filter) => filter(record)))
}

function suits(of: 'plain' | 'json' | 'all', kind: AttributeKind): boolean {
  return of === 'all' || (of === 'json') === (kind === 'json')
}

function findAttribute(schema: TypeSchema, name: string, records: Records): FilterAttribute | undefined {
  if (schema.filterable.includes(name)) {
    return { kind: schema.attributes[name] ?? 'text', read: (record) => attributeOf(record, name) }
  }
  for (const [relationship, { isFilterable, schema: target, related }] of Object.entries(schema.relationships)) {
    if (!isFilterable || !name.startsWith(`${relationship}_`)) continue
    const end = findAttribute(target(), name.slice(relationship.length + 1), records)
    if (end) return { kind: end.kind, read: (record) => readEnd(related(record, records), end) }
  }
  return undefined
}

/** As by a LEFT JOIN: what is not there has no attributes but NULL. */
function readEnd(related: ApiRecord | readonly ApiRecord[] | null, end: FilterAttribute): unknown {
  const record = isList(related) ? related[0] : related
  return record ? end.read(record) : null
}

function notAllowed(key: string): Error {
  return refuse('FILTER_NOT_ALLOWED', `${key} is not allowed.`)
}
