import { refuse } from './errors.ts'
import { type ApiRecord, readAttribute, type TypeSchema } from './schema.ts'

type Comparison = (a: ApiRecord, b: ApiRecord) => number

/**
 * Reads `sort=-created_at,response_code` into a comparison. `-` sorts in descending order. NULL is greater than any
 * value, as in PostgreSQL. Without `sort`, records are in the order in which they were created: an assumption.
 *
 * @throws ApiError `INVALID_SORT_CRITERIA` for attributes that are not documented as sortable.
 */
export function readSort(schema: TypeSchema, value: string): Comparison {
  const comparisons = value
    .split(',')
    .filter((name) => name !== '')
    .map((key): Comparison => {
      const name = key.replace(/^-/, '')
      if (!schema.sortable.includes(name)) {
        throw refuse('INVALID_SORT_CRITERIA', `${name} is not a valid sort criteria for ${schema.type}.`)
      }
      return key.startsWith('-')
        ? (a, b) => compareValues(readAttribute(b, name), readAttribute(a, name))
        : (a, b) => compareValues(readAttribute(a, name), readAttribute(b, name))
    })
  return (a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }
}

function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === null || b === null) return a === null ? 1 : -1
  return (a as string | number) < (b as string | number) ? -1 : 1
}
