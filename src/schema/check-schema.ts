import { z } from 'zod'
import { checkNames, wrongOption } from '../core/check-options.ts'

/**
 * Checks a value against a schema, and words the error as for every other option. The messages of the schema complete
 * the sentence that begins with the name of the option: `must be a URL`, `is missing`.
 *
 * @param owner whose options they are: `createManagement`, `webhooks.create`.
 * @throws TypeError that names the owner and the option, and quotes no value.
 */
export function checkSchema<T>(owner: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(withoutUndefined(value))
  if (result.success) return result.data
  const { issues } = result.error
  // A misspelled name explains why the right one is missing.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const path = issue?.path ?? []
  if (issue?.code === 'unrecognized_keys') {
    const known = path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
    checkNames([owner, ...path].join(' '), issue.keys, known)
  }
  if (path.length === 0) throw new TypeError(`${owner}: the options must be an object.`)
  throw wrongOption(owner, path.join('.'), issue?.message ?? 'cannot be used')
}

/** An option that is `undefined` counts as not given. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, given]) => given !== undefined))
}

/** Messages for a value that is missing or not what is `expected`: `a URL`. */
export function mustBe(expected: string) {
  return { error: ({ input }: { input?: unknown }) => (input === undefined ? 'is missing' : `must be ${expected}`) }
}

/** Text that is not empty. */
export const text = z.string(mustBe('a string')).refine((given) => given.trim() !== '', 'must not be empty')

/** A whole number within bounds. */
export function wholeNumber(from: number, to = Number.MAX_SAFE_INTEGER) {
  const expected = to === Number.MAX_SAFE_INTEGER ? `${from} or more` : `from ${from} to ${to}`
  const message = mustBe(`a whole number, ${expected}`)
  return z.int(message).min(from, message).max(to, message)
}

/** A number of milliseconds, over 0. */
export const milliseconds = z.number(mustBe('a number of milliseconds')).positive('must be over 0')

export const flag = z.boolean(mustBe('true or false'))

export function oneOf<const T extends readonly string[]>(...names: T) {
  return z.enum(names, mustBe(names.join(' or ')))
}

export function callback<T extends (...args: never[]) => unknown>() {
  return z.custom<T>((given) => typeof given === 'function', 'must be a function')
}

/** An object that can log warnings, such as `console`. */
export const logger = z.custom<{ warn(message: string, fields?: Readonly<Record<string, unknown>>): void }>(
  (given) => typeof Object(given).warn === 'function',
  'must have a method `warn`',
)
