import { z } from 'zod'

/**
 * The arguments of a call, once they are what it takes.
 *
 * @throws TypeError that names the call and the argument, and quotes nothing: `createManagement: clientId is missing`.
 */
export function checkArguments<T>(call: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  if (issue?.code === 'unrecognized_keys') throw new TypeError(`${call}: ${issue.keys[0]} is not an argument`)
  throw new TypeError(`${call}: ${[...(issue?.path ?? []), issue?.message].join(' ')}`)
}

/** The message for a value that is wrong or missing. */
const fault = (sentence: string) => ({
  error: ({ input }: { input?: unknown }) => (input === undefined ? 'is missing' : sentence),
})

const NAME = '[a-z][a-z0-9_]*'

export const text = z.string(fault('is not a string')).refine((given) => given.trim() !== '', 'is empty')

export const topic = z
  .string(fault('is not a topic such as orders.place'))
  .regex(new RegExp(`^${NAME}\\.${NAME}$`), 'is not a topic such as orders.place')

export const includePath = z
  .string(fault('is not a path such as line_items.item'))
  .regex(new RegExp(`^${NAME}(\\.${NAME})*$`), 'is not a path such as line_items.item')

/** Strict, because the id becomes a part of the request's path. */
export const id = z.string(fault('is not an id')).regex(/^[\w-]+$/, 'is not an id')

export const url = z.string(fault('is not a URL')).superRefine((given, context) => {
  const message = describeUrlProblem(given)
  if (message) context.addIssue({ code: 'custom', message })
})

export const flag = z.boolean(fault('is not true or false'))

export const metadata = z.record(z.string(), z.unknown(), fault('is not an object'))

export const signal = z.instanceof(AbortSignal, { error: 'is not an AbortSignal' })

export function oneOf<const T extends readonly string[]>(...names: T) {
  return z.enum(names, fault(`is not one of ${names.join(', ')}`))
}

export function wholeNumber(from: number, to: number) {
  const sentence = `is not a whole number from ${from} to ${to}`
  return z.int(fault(sentence)).min(from, sentence).max(to, sentence)
}

const isMoment = (given: Date | string) => !Number.isNaN(new Date(given).getTime())

/** The time of a record, left as the API wrote it. */
export const momentOfRecord = z.string(fault('is not a moment')).refine(isMoment, 'is not a moment')

/** A `Date` or a string that is one; it becomes an ISO 8601 string, as in the API. */
export const moment = z
  .union([z.date(), z.string()], fault('is not a Date or a string that is one'))
  .refine(isMoment, 'is not a Date or a string that is one')
  .transform((given) => new Date(given).toISOString())

export const requestOptions = z.strictObject({ signal: signal.optional() })

/** Checks the id and the options of a call that concerns one record. */
export function checkRecordCall(call: string, recordId: unknown, options: unknown): z.infer<typeof requestOptions> {
  checkArguments(call, z.object({ id }), { id: recordId })
  return checkArguments(call, requestOptions, options)
}

const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Describes why an address is refused, such as `is not a URL`; `undefined` if it is accepted. Deliveries hold personal
 * data and requests hold tokens, so only a loopback host may be called without https.
 */
function describeUrlProblem(address: string): string | undefined {
  if (!URL.canParse(address)) return 'is not a URL'
  const { protocol, hostname, username, password } = new URL(address)
  if (username || password) return 'must not hold a user name or password'
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))) return undefined
  return 'must start with https://, unless its host is loopback'
}
