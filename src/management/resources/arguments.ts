import { z } from 'zod'
import { isTopic } from '../../commerce-layer/topic-patterns.ts'
import { checkSchema, mustBe } from '../../schema/check-schema.ts'
import { isLoopback } from '../../schema/loopback.ts'

const A_TOPIC = mustBe('a topic such as orders.place')
const A_PATH = mustBe('a path such as line_items.item')
const A_MOMENT = mustBe('a Date, or a string with a date')

export const topic = z.string(A_TOPIC).refine(isTopic, A_TOPIC)

export const includePath = z.string(A_PATH).regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/, A_PATH)

/** Strict, because the id becomes a part of the request's path. */
export const id = z.string(mustBe('an id')).regex(/^[\w-]+$/, mustBe('an id'))

export const url = z.string(mustBe('a URL')).superRefine((given, context) => {
  const message = describeUrlProblem(given)
  if (message) context.addIssue({ code: 'custom', message })
})

export const metadata = z.record(z.string(), z.unknown(), mustBe('an object'))

export const signal = z.instanceof(AbortSignal, mustBe('an AbortSignal'))

const isMoment = (given: Date | string) => !Number.isNaN(new Date(given).getTime())

/** The time of a record, left as the API wrote it. */
export const momentOfRecord = z.string(A_MOMENT).refine(isMoment, A_MOMENT)

/** A `Date` or a string that is one; it becomes an ISO 8601 string, as in the API. */
export const moment = z
  .union([z.date(), z.string()], A_MOMENT)
  .refine(isMoment, A_MOMENT)
  .transform((given) => new Date(given).toISOString())

export const requestOptions = z.strictObject({ signal: signal.optional() })

/** Checks the id and the options of a call that concerns one record. */
export function checkRecordCall(call: string, recordId: unknown, options: unknown): z.infer<typeof requestOptions> {
  checkSchema(call, z.object({ id }), { id: recordId })
  return checkSchema(call, requestOptions, options)
}

/**
 * Says why an address is refused; `undefined` if it is accepted. Deliveries hold personal data and requests hold
 * tokens, so only a loopback host may be called without https.
 */
function describeUrlProblem(address: string): string | undefined {
  if (!URL.canParse(address)) return 'must be a URL'
  const { protocol, hostname, username, password } = new URL(address)
  if (username || password) return 'must not hold a user name or password'
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return undefined
  return 'must start with https://, unless its host is loopback'
}
