import type { ResourceReference } from '../../core/inbox/listing.ts'
import type { AttemptFailure } from './queue.ts'

/**
 * Reads what an engine has kept of a failure; `undefined` if it has no code and no message. Whoever can write to the
 * engine can write anything, so nothing of it is trusted.
 */
export function readFailure(kept: Readonly<Record<string, unknown>>): AttemptFailure | undefined {
  const { code, message, handler, cause } = toRecord(kept.error)
  if (typeof code !== 'string' || typeof message !== 'string') return undefined
  const resource = toReference(kept.resource)
  const { maxAttempts } = kept
  return {
    error: {
      code,
      message,
      ...(typeof handler === 'string' && { handler }),
      ...(typeof cause === 'string' && { cause }),
    },
    ...(resource && { resource }),
    ...(Number.isSafeInteger(maxAttempts) && { maxAttempts: Number(maxAttempts) }),
  }
}

/** Reads what names a resource; `undefined` if it names none. */
export function toReference(value: unknown): ResourceReference | undefined {
  const { type, id, number } = toRecord(value)
  if (typeof type !== 'string' || typeof id !== 'string') return undefined
  return { type, id, ...(typeof number === 'string' && { number }) }
}

/** Parses a JSON object; an empty one if the text is none. */
export function parseRecord(text: unknown): Readonly<Record<string, unknown>> {
  // Most deliveries have none, and each error that is thrown takes as long as a tenth of parsing an order.
  if (text === undefined || text === null) return {}
  try {
    return toRecord(JSON.parse(String(text)))
  } catch {
    return {}
  }
}

export function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
