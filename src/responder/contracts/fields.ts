import { WebhookError } from '../../core/errors.ts'

/** The fields of an object, each read once: what was checked is what is written. */
export type Fields = Readonly<Record<string, unknown>>

/** The error for an answer that does not leave. The path and the problem are for the log, and hold no value. */
export function wrongAnswer(path: string, problem: string): WebhookError {
  return new WebhookError('INTERNAL_ERROR', { hint: `The answer is wrong: ${path} ${problem}.` })
}

/** @throws WebhookError if a value is no object, or has a field that is not known. */
export function readFields(value: unknown, path: string, known?: readonly string[]): Fields {
  if (Object.prototype.toString.call(value) !== '[object Object]') throw wrongAnswer(path, 'is not an object')
  const fields: Record<string, unknown> = {}
  for (const name of Object.keys(value as object)) {
    const field = (value as Fields)[name]
    if (field === undefined) continue
    // Assigned, `__proto__` would not become a field.
    if (name === '__proto__' || (known && !known.includes(name))) {
      throw wrongAnswer(`${path}.${name.slice(0, 50)}`, 'is not a field of this answer')
    }
    fields[name] = field
  }
  return fields
}

/** The fields of each object of a list. */
export function readList(value: unknown, path: string, known?: readonly string[]): readonly Fields[] {
  if (!Array.isArray(value)) throw wrongAnswer(path, 'is not a list')
  if (value.length === 0) throw wrongAnswer(path, 'is empty')
  return Array.from(value).map((one, i) => readFields(one, `${path}[${i}]`, known))
}

/** @throws WebhookError if it is no whole number, is less than `min`, or more than `max`. */
export function checkCents(value: unknown, path: string, min: 0 | 1, max = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value)) throw wrongAnswer(path, 'is not a whole number of cents')
  if (Number(value) < min) throw wrongAnswer(path, min === 0 ? 'is negative' : 'is not over 0')
  if (Number(value) > max) throw wrongAnswer(path, 'is more than what it is taken from')
}

/** @throws WebhookError if it is no number from 0 to 1. */
export function checkRate(value: unknown, path: string): void {
  if (!Number.isFinite(value)) throw wrongAnswer(path, 'is not a number')
  if (Number(value) < 0) throw wrongAnswer(path, 'is negative')
  if (Number(value) > 1) throw wrongAnswer(path, 'is over 1: a rate of 25 % is 0.25')
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
  if (Object.prototype.toString.call(written) !== '[object Object]')
    throw wrongAnswer('data.metadata', 'is not an object')
  return { metadata: written }
}
