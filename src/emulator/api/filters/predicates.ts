import { refuse } from '../errors.ts'
import type { AttributeKind } from '../schema.ts'
import { containsJson } from './contains-json.ts'
import { like } from './like.ts'

/** Whether an attribute passes. As in SQL, NULL passes nothing but what asks for it. */
type Test = (attribute: unknown) => boolean

export interface Predicate {
  /** Which attributes it can be asked of. */
  readonly of: 'plain' | 'json' | 'all'
  /**
   * The test for the value of a filter; `undefined` for a blank value, which Ransack takes for no condition at all.
   *
   * @throws ApiError `INVALID_FILTER_VALUE` for a value that is not of the attribute's kind.
   */
  toTest(value: string, kind: AttributeKind): Test | undefined
}

type Comparable = string | number
type Compare = (attribute: Comparable, value: Comparable) => boolean
type Pattern = (value: string) => (text: string) => boolean

const EQ: Compare = (attribute, value) => attribute === value
const NOT_EQ: Compare = (attribute, value) => attribute !== value

const ORDERS: Readonly<Record<string, Compare>> = {
  lt: (attribute, value) => attribute < value,
  lteq: (attribute, value) => attribute <= value,
  gt: (attribute, value) => attribute > value,
  gteq: (attribute, value) => attribute >= value,
}

const PATTERNS: Readonly<Record<string, Pattern>> = {
  matches: like,
  does_not_match: not(like),
  start: (value) => (text) => text.startsWith(value),
  not_start: not((value) => (text) => text.startsWith(value)),
  end: (value) => (text) => text.endsWith(value),
  not_end: not((value) => (text) => text.endsWith(value)),
  cont: (value) => (text) => text.includes(value),
  not_cont: not((value) => (text) => text.includes(value)),
}

/** The documented predicates of Ransack, and the two that the SDK adds, by name. */
const PREDICATES: ReadonlyMap<string, Predicate> = new Map<string, Predicate>([
  ['eq', compareOne(EQ)],
  ['not_eq', compareOne(NOT_EQ)],
  ['not_eq_all', compareAll(NOT_EQ)],
  ['in', compareAny(EQ)],
  ['not_in', compareAll(NOT_EQ)],
  ['not_in_or_null', orNull(compareAll(NOT_EQ))],
  ...Object.entries(ORDERS).flatMap(([name, compare]): [string, Predicate][] => [
    [name, compareOne(compare)],
    [`${name}_any`, compareAny(compare)],
    [`${name}_all`, compareAll(compare)],
  ]),
  ...Object.entries(PATTERNS).flatMap(([name, pattern]): [string, Predicate][] => [
    [name, match(pattern, (value) => [value], 'every')],
    [`${name}_any`, match(pattern, listOf, 'some')],
    [`${name}_all`, match(pattern, listOf, 'every')],
  ]),
  ['present', flag('all', (attribute) => attribute !== null && attribute !== '')],
  ['blank', flag('all', (attribute) => attribute === null || attribute === '')],
  ['null', flag('all', (attribute) => attribute === null)],
  ['not_null', flag('all', (attribute) => attribute !== null)],
  ['true', flag('plain', (attribute) => attribute === true)],
  ['false', flag('plain', (attribute) => attribute === false)],
  ['jcont', { of: 'json', toTest: (value) => (value === '' ? undefined : containsJson(objectOf(value))) }],
])

/** Longest first, as `not_null` ends in `null` too. */
const NAMES = [...PREDICATES.keys()].sort((a, b) => b.length - a.length)

/** Takes a filter's key apart; `undefined` if it does not end in a predicate. */
export function findPredicate(key: string): { attributes: string; predicate: Predicate } | undefined {
  const name = NAMES.find((candidate) => key.endsWith(`_${candidate}`)) ?? ''
  const predicate = PREDICATES.get(name)
  return predicate && { attributes: key.slice(0, -name.length - 1), predicate }
}

function compareOne(compare: Compare): Predicate {
  return comparing(
    (value) => [value],
    (values, attribute) => values.every((value) => compare(attribute, value)),
  )
}

function compareAny(compare: Compare): Predicate {
  return comparing(listOf, (values, attribute) => values.some((value) => compare(attribute, value)))
}

function compareAll(compare: Compare): Predicate {
  return comparing(listOf, (values, attribute) => values.every((value) => compare(attribute, value)))
}

function comparing(
  split: (value: string) => string[],
  compare: (values: readonly Comparable[], attribute: Comparable) => boolean,
): Predicate {
  return {
    of: 'plain',
    toTest(value, kind) {
      const values = split(value)
        .filter((text) => text !== '')
        .map((text) => cast(text, kind))
      if (values.length === 0) return undefined
      return (attribute) => isComparable(attribute) && compare(values, attribute)
    },
  }
}

/** Patterns see the text of an attribute, of times and numbers too. */
function match(pattern: Pattern, split: (value: string) => string[], quantifier: 'some' | 'every'): Predicate {
  return {
    of: 'plain',
    toTest(value) {
      const tests = split(value)
        .filter((text) => text !== '')
        .map(pattern)
      if (tests.length === 0) return undefined
      return (attribute) => isComparable(attribute) && tests[quantifier]((test) => test(String(attribute)))
    },
  }
}

function orNull({ of, toTest }: Predicate): Predicate {
  return {
    of,
    toTest(value, kind) {
      const test = toTest(value, kind)
      return test && ((attribute) => attribute === null || test(attribute))
    },
  }
}

/** A question that `false` turns round: `response_code_null=false` is `response_code_not_null=true`. */
function flag(of: Predicate['of'], test: Test): Predicate {
  return {
    of,
    toTest(value) {
      if (/^(true|t|1)$/i.test(value)) return test
      if (/^(false|f|0)$/i.test(value)) return (attribute) => !test(attribute)
      if (value === '') return undefined
      throw refuse('INVALID_FILTER_VALUE', 'The value of a filter that asks yes or no is `true` or `false`.')
    },
  }
}

function not(pattern: Pattern): Pattern {
  return (value) => {
    const test = pattern(value)
    return (text) => !test(text)
  }
}

function isComparable(attribute: unknown): attribute is Comparable {
  return typeof attribute === 'string' || typeof attribute === 'number'
}

function listOf(value: string): string[] {
  return value.split(',')
}

/** A date, with a time or not; without a time zone it is in UTC, as the platform's times are. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/i

function cast(text: string, kind: AttributeKind): Comparable {
  if (kind === 'number') {
    const number = Number(text)
    if (!Number.isFinite(number)) throw refuse('INVALID_FILTER_VALUE', 'The value of the filter is not a number.')
    return number
  }
  if (kind === 'time') {
    const [, day = '', time = '00:00', zone = 'Z'] = TIME.exec(text) ?? []
    const date = new Date(`${day}T${time}${zone}`)
    if (Number.isNaN(date.getTime())) throw refuse('INVALID_FILTER_VALUE', 'The value of the filter is not a time.')
    return date.toISOString()
  }
  return text
}

function objectOf(text: string): object {
  const value = parsed(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw refuse('INVALID_FILTER_VALUE', 'The value of the filter is not a JSON object.')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
