import { InvalidArgumentError } from 'commander'

/** Reads the value of a flag that counts. */
export function toCount(value: string): number {
  const count = Number(value)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new InvalidArgumentError('It must be a whole number over 0.')
}
