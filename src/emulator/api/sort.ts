import { refuse } from './errors.ts'
import { type ApiRecord, attributeOf, type TypeSchema } from './schema.ts'

type Comparison = (a: ApiRecord, b: ApiRecord) => number

/**
 * `sort=-created_at,response_code` as a comparison; `-` is descending. NULL is greater than anything, as PostgreSQL has it.
 * Without `sort` records come in the order of their making: an assumption.
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
        ? (a, b) => compareValues(attributeOf(b, name), attributeOf(a, name))
        : (a, b) => compareValues(attributeOf(a, name), attributeOf(b, name))
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
