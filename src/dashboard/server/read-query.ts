import * as z from 'zod'
import { badRequest } from './problem.ts'

/**
 * Checks query parameters or a body. An unknown member is refused: a filter that is misspelled would choose everything.
 *
 * @throws Refusal 400
 */
export function readInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const { success, data, error } = schema.safeParse(input)
  if (success) return data
  const { path, message } = error.issues[0] ?? { path: [], message: 'is wrong' }
  throw badRequest(`${path.length > 0 ? `\`${path.join('.')}\`` : 'The request'}: ${message}.`)
}

const MAX_TEXT_LENGTH = 300
const MAX_LIMIT = 500

export const text = z.string().min(1).max(MAX_TEXT_LENGTH)
export const resourceChanges = z.record(z.string(), z.unknown())
export const moment = z.iso.datetime({ offset: true }).transform((time) => new Date(time))
export const limit = z.coerce.number().int().min(1).max(MAX_LIMIT).default(50)

/** A list with commas of some of the names. */
export function listOf<const Names extends readonly string[]>(names: Names) {
  return z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(names)))
}

/** Query parameters, without those that are empty. */
export function toRecord(url: string): Record<string, string> {
  return Object.fromEntries([...new URL(url).searchParams].filter(([, value]) => value !== ''))
}
