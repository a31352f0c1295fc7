import { checkOption, checkOptions, type OptionRule } from '../../core/check-options.ts'
import type { DeadLetterFilter } from '../../core/inbox/inbox.ts'

const TEXT: OptionRule<string | undefined> = { fallback: undefined, expected: 'text', isValid: isText }
const DATE: OptionRule<Date | undefined> = { fallback: undefined, expected: 'a valid date', isValid: isDate }
const FILTER_RULES = { topic: TEXT, code: TEXT, failedSince: DATE, failedUntil: DATE }

/** @throws TypeError if a key is unknown, or a value is not of its type. */
export function checkFilter(method: string, filter: unknown): DeadLetterFilter {
  return checkOptions(`deadLetters.${method}`, filter, FILTER_RULES)
}

/** @throws TypeError if it is not text. libsql ends the process when it is given anything else. */
export function checkId(method: string, id: unknown): string {
  return checkOption(`deadLetters.${method}`, 'id', id, { fallback: '', expected: 'text', isValid: isText })
}

/**
 * Checks what `retry` or `discard` is to be applied to.
 *
 * @returns an id, or a filter: `{}` for `'all'`.
 * @throws TypeError if it is neither, or a filter without a key that is defined, which would select everything.
 */
export function checkSelection(method: string, which: unknown): string | DeadLetterFilter {
  if (which === 'all') return {}
  if (isText(which)) return which
  const filter = checkFilter(method, which)
  if (Object.values(filter).some((value) => value !== undefined)) return filter
  throw new TypeError(`deadLetters.${method}: the filter is empty. Write 'all' to select all dead letters.`)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}
