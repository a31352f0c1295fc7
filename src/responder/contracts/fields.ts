import { WebhookError } from '../../core/errors.ts'

/** The fields of an object, each read once: what was checked is what is written. */
export type Fields = Readonly<Record<string, unknown>>

/** The error for an answer that does not leave. The path and the problem are for the log, and hold no value. */
export function wrongAnswer(path: string, problem: string): WebhookError {
  return new WebhookError('INTERNAL_ERROR', { hint: `The answer is wrong: ${path} ${problem}.` })
}

/** The path of one of a list. Paths are written for errors alone: most answers have none. */
export function pathOf(path: string, index: number): string {
  return index < 0 ? path : `${path}[${index}]`
}

function isRecord(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  // Plain objects are nearly all there are, and known sooner.
  if (Object.getPrototypeOf(value) === Object.prototype && !(Symbol.toStringTag in value)) return true
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** @throws WebhookError if a value is no object, or has a field that is not known. */
export function readFields(value: unknown, path: string, known?: readonly string[], index = -1): Fields {
  if (!isRecord(value)) throw wrongAnswer(pathOf(path, index), 'is not an object')
  const fields: Record<string, unknown> = {}
  for (const name of Object.keys(value as object)) {
    const field = (value as Fields)[name]
    if (field === undefined) continue
    // Assigned, `__proto__` would not become a field.
    if (name === '__proto__' || (known && !known.includes(name))) {
      throw wrongAnswer(`${pathOf(path, index)}.${name.slice(0, 50)}`, 'is not a field of this answer')
    }
    fields[name] = field
  }
  return fields
}

/** The fields of each object of a list. */
export function readList(value: unknown, path: string, known?: readonly string[]): readonly Fields[] {
  if (!Array.isArray(value)) throw wrongAnswer(path, 'is not a list')
  if (value.length === 0) throw wrongAnswer(path, 'is empty')
  const { length } = value
  const list: Fields[] = []
  for (let i = 0; i < length; i += 1) list.push(readFields(value[i], path, known, i))
  return list
}

/** @throws WebhookError if it is no whole number, is less than `min`, or more than `max`. */
export function checkCents(value: unknown, path: string, min: 0 | 1, max = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value)) throw wrongAnswer(path, 'is not a whole number of cents')
  if (Number(value) < min) throw wrongAnswer(path, min === 0 ? 'is negative' : 'is not over 0')
  if (Number(value) > max) throw wrongAnswer(path, 'is more than what it is taken from')
}

/** What is wrong with a rate: it is a number from 0 to 1. */
export function describeRate(value: unknown): string | undefined {
  if (!Number.isFinite(value)) return 'is not a number'
  if (Number(value) < 0) return 'is negative'
  return Number(value) > 1 ? 'is over 1: a rate of 25 % is 0.25' : undefined
}

/** @throws WebhookError if it is no text, or blank. */
export function checkText(value: unknown, path: string): void {
  if (typeof value !== 'string' || value.trim() === '') throw wrongAnswer(path, 'is not text')
}

/** @throws WebhookError if the answer names another currency than the request. */
export function checkCurrency(value: unknown, currency: string | undefined): void {
  if (value === undefined || currency === undefined) return
  if (value !== currency) throw wrongAnswer('data.currency_code', 'is not the currency of the request')
}

/** The metadata as JSON writes it, so that nothing can change it later. */
export function readMetadata(value: unknown): Fields {
  if (value === undefined) return {}
  let written: unknown
  try {
    written = JSON.parse(JSON.stringify(value))
  } catch {
    throw wrongAnswer('data.metadata', 'cannot be written as JSON')
  }
  if (!isRecord(written)) throw wrongAnswer('data.metadata', 'is not an object')
  return { metadata: written }
}
