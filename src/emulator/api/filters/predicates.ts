import { refuse } from '../errors.ts'
import type { AttributeKind } from '../schema.ts'
import { containsJson } from './contains-json.ts'
import { compileLike } from './like.ts'

/** Whether the value of an attribute passes. As in SQL, NULL passes only tests for NULL. */
type Test = (attribute: unknown) => boolean

export interface Predicate {
  /** The kinds of attributes that it applies to. */
  readonly appliesTo: 'plain' | 'json' | 'all'
  /**
   * Creates the test for the value of a filter. `undefined` for a blank value, which Ransack ignores.
   *
   * @throws ApiError `INVALID_FILTER_VALUE` for a value that does not fit the kind of the attribute.
   */
  createTest(value: string, kind: AttributeKind): Test | undefined
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
  matches: compileLike,
  does_not_match: negate(compileLike),
  start: (value) => (text) => text.startsWith(value),
  not_start: negate((value) => (text) => text.startsWith(value)),
  end: (value) => (text) => text.endsWith(value),
  not_end: negate((value) => (text) => text.endsWith(value)),
  cont: (value) => (text) => text.includes(value),
  not_cont: negate((value) => (text) => text.includes(value)),
}

/** The documented predicates of Ransack, and the two that the SDK adds. */
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
    [name, createMatch(pattern, (value) => [value], 'every')],
    [`${name}_any`, createMatch(pattern, splitList, 'some')],
    [`${name}_all`, createMatch(pattern, splitList, 'every')],
  ]),
  ['present', createFlag('all', (attribute) => attribute !== null && attribute !== '')],
  ['blank', createFlag('all', (attribute) => attribute === null || attribute === '')],
  ['null', createFlag('all', (attribute) => attribute === null)],
  ['not_null', createFlag('all', (attribute) => attribute !== null)],
  ['true', createFlag('plain', (attribute) => attribute === true)],
  ['false', createFlag('plain', (attribute) => attribute === false)],
  [
    'jcont',
    { appliesTo: 'json', createTest: (value) => (value === '' ? undefined : containsJson(parseObject(value))) },
  ],
])

/** Longest first, because `not_null` also ends with `null`. */
const NAMES = [...PREDICATES.keys()].sort((a, b) => b.length - a.length)

/** Splits the key of a filter into attributes and predicate. `undefined` if the key does not end with a predicate. */
export function findPredicate(key: string): { attributes: string; predicate: Predicate } | undefined {
  const name = NAMES.find((candidate) => key.endsWith(`_${candidate}`)) ?? ''
  const predicate = PREDICATES.get(name)
  return predicate && { attributes: key.slice(0, -name.length - 1), predicate }
}

function compareOne(compare: Compare): Predicate {
  return createComparison(
    (value) => [value],
    (values, attribute) => values.every((value) => compare(attribute, value)),
  )
}

function compareAny(compare: Compare): Predicate {
  return createComparison(splitList, (values, attribute) => values.some((value) => compare(attribute, value)))
}

function compareAll(compare: Compare): Predicate {
  return createComparison(splitList, (values, attribute) => values.every((value) => compare(attribute, value)))
}

function createComparison(
  split: (value: string) => string[],
  compare: (values: readonly Comparable[], attribute: Comparable) => boolean,
): Predicate {
  return {
    appliesTo: 'plain',
    createTest(value, kind) {
      const values = split(value)
        .filter((text) => text !== '')
        .map((text) => cast(text, kind))
      if (values.length === 0) return undefined
      return (attribute) => isComparable(attribute) && compare(values, attribute)
    },
  }
}

/** Patterns apply to the text of an attribute, also of times and numbers. */
function createMatch(pattern: Pattern, split: (value: string) => string[], quantifier: 'some' | 'every'): Predicate {
  return {
    appliesTo: 'plain',
    createTest(value) {
      const tests = split(value)
        .filter((text) => text !== '')
        .map(pattern)
      if (tests.length === 0) return undefined
      return (attribute) => isComparable(attribute) && tests[quantifier]((test) => test(String(attribute)))
    },
  }
}

function orNull({ appliesTo, createTest }: Predicate): Predicate {
  return {
    appliesTo,
    createTest(value, kind) {
      const test = createTest(value, kind)
      return test && ((attribute) => attribute === null || test(attribute))
    },
  }
}

/** A predicate that `false` negates: `response_code_null=false` is the same as `response_code_not_null=true`. */
function createFlag(appliesTo: Predicate['appliesTo'], test: Test): Predicate {
  return {
    appliesTo,
    createTest(value) {
      if (/^(true|t|1)$/i.test(value)) return test
      if (/^(false|f|0)$/i.test(value)) return (attribute) => !test(attribute)
      if (value === '') return undefined
      throw refuse('INVALID_FILTER_VALUE', 'The value of the filter is neither `true` nor `false`.')
    },
  }
}

function negate(pattern: Pattern): Pattern {
  return (value) => {
    const test = pattern(value)
    return (text) => !test(text)
  }
}

function isComparable(attribute: unknown): attribute is Comparable {
  return typeof attribute === 'string' || typeof attribute === 'number'
}

function splitList(value: string): string[] {
  return value.split(',')
}

/** A date with an optional time. Without a time zone it is in UTC, as the times of the API are. */
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

function parseObject(text: string): object {
  const value = tryParse(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw refuse('INVALID_FILTER_VALUE', 'The value of the filter is not a JSON object.')
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
