import type { Records } from '../../records.ts'
import { refuse } from '../errors.ts'
import { type ApiRecord, type AttributeKind, isList, readAttribute, type TypeSchema } from '../schema.ts'
import { findPredicate, type Predicate } from './predicates.ts'

/** Whether a record passes. */
export type Filter = (record: ApiRecord) => boolean

/** An attribute that a filter names, of the record or of a related record. */
interface FilterAttribute {
  readonly kind: AttributeKind
  read(record: ApiRecord): unknown
}

/**
 * Reads one `filter[q][<attributes>_<predicate>]=<value>` into a function. Attributes are joined by `_or_` or `_and_`.
 * If a key has both, the first one counts, as in Ransack. With a blank value every record passes.
 *
 * @throws ApiError `FILTER_NOT_ALLOWED` for an attribute or predicate that is not documented, `INVALID_FILTER_VALUE`.
 */
export function readFilter(schema: TypeSchema, key: string, value: string, records: Records): Filter {
  const found = findPredicate(key)
  if (!found) throw refuseFilter(key)
  const { predicate } = found
  const filters = found.attributes.split(/_and_|_or_/).flatMap((name): Filter[] => {
    const attribute = findAttribute(schema, name, records)
    if (!attribute || !isApplicable(predicate.appliesTo, attribute.kind)) throw refuseFilter(key)
    const test = predicate.createTest(value, attribute.kind)
    return test ? [(record) => test(attribute.read(record))] : []
  })
  if (filters.length === 0) return () => true
  const isEither = /_(and|or)_/.exec(found.attributes)?.[1] === 'or'
  return (record) => (isEither ? filters.some((filter) => filter(record)) : filters.every((filter) => filter(record)))
}

function isApplicable(appliesTo: Predicate['appliesTo'], kind: AttributeKind): boolean {
  return appliesTo === 'all' || (appliesTo === 'json') === (kind === 'json')
}

function findAttribute(schema: TypeSchema, name: string, records: Records): FilterAttribute | undefined {
  if (schema.filterable.includes(name)) {
    return { kind: schema.attributes[name] ?? 'text', read: (record) => readAttribute(record, name) }
  }
  for (const [relationship, { isFilterable, schema: target, related }] of Object.entries(schema.relationships)) {
    if (!isFilterable || !name.startsWith(`${relationship}_`)) continue
    const attribute = findAttribute(target(), name.slice(relationship.length + 1), records)
    if (attribute) return { kind: attribute.kind, read: (record) => readRelated(related(record, records), attribute) }
  }
  return undefined
}

/** As in a LEFT JOIN, every attribute of a record that does not exist is NULL. */
function readRelated(related: ApiRecord | readonly ApiRecord[] | null, attribute: FilterAttribute): unknown {
  const record = isList(related) ? related[0] : related
  return record ? attribute.read(record) : null
}

function refuseFilter(key: string): Error {
  return refuse('FILTER_NOT_ALLOWED', `${key} is not allowed.`)
}
