import { cleanText } from './clean-text.ts'

/**
 * The tag that tells our errors. `instanceof` would not: a program may hold two copies of the package (ESM and CJS).
 */
const TAG = Symbol.for('hooklayer.management-error')

/** Failures between us and Commerce Layer's API. What the API itself refuses has the API's code. */
const FAILURES = {
  UNREACHABLE: 'Commerce Layer could not be reached.',
  CONNECTION_LOST: 'The connection to Commerce Layer was lost before it answered.',
  TIMEOUT: 'Commerce Layer did not answer in time.',
  OUTCOME_UNKNOWN: 'It is not known whether Commerce Layer made the change: check before you try again.',
  RATE_LIMITED: 'The rate limit of Commerce Layer does not allow the request within two minutes.',
  CREDENTIALS_REFUSED: 'Commerce Layer does not accept the client id and secret.',
  ACCESS_TOKEN_MISSING: 'The function `accessToken` gave no token.',
  RESPONSE_INVALID: 'The answer is not one that Commerce Layer gives: check `url`.',
  RESPONSE_TOO_LARGE: 'The answer is larger than `maxResponseBytes`.',
} as const

/** The codes that hooklayer gives; a {@link ManagementError} may have a code of the API instead. */
export type ManagementFailure = keyof typeof FAILURES

export interface ManagementErrorOptions {
  /** The HTTP status of the answer. */
  readonly status?: number | undefined
  /** The part of the request that is wrong, as a JSON pointer such as `/data/attributes/topic`. */
  readonly pointer?: string | undefined
  /** A sentence with more details. */
  readonly detail?: string | undefined
}

/**
 * The failure of a call to Commerce Layer's API.
 *
 * `code` is one of ours ({@link ManagementFailure}), or the API's own, such as `VALIDATION_ERROR` or
 * `RECORD_NOT_FOUND`. For an answer without a code it is `HTTP_500` and the like. The error has no `cause`: what the
 * SDK and `fetch` throw may hold the request, and so a token. The codes of the API are in Commerce Layer's
 * documentation, "Handling errors".
 *
 * @example
 * try {
 *   await management.webhooks.retrieve('xYZkjABcde')
 * } catch (error) {
 *   if (!isManagementError(error) || error.code !== 'RECORD_NOT_FOUND') throw error
 * }
 */
export class ManagementError extends Error {
  override readonly name = 'ManagementError'
  readonly code: ManagementFailure | (string & {})
  readonly status: number | undefined
  readonly pointer: string | undefined
  readonly detail: string | undefined

  constructor(code: ManagementFailure | (string & {}), { status, pointer, detail }: ManagementErrorOptions = {}) {
    super(describe(code, { status, pointer, detail }))
    this.code = code
    this.status = status
    this.pointer = pointer
    this.detail = detail
    Object.defineProperty(this, TAG, { value: true })
  }
}

/** Whether a thrown value is a {@link ManagementError}, made by any copy of the package. */
export function isManagementError(thrown: unknown): thrown is ManagementError {
  return typeof thrown === 'object' && thrown !== null && TAG in thrown
}

/** Makes the error for what the SDK threw: an answer of the API, or what our own `fetch` threw inside the SDK. */
export function toManagementError(thrown: unknown): ManagementError {
  if (isManagementError(thrown)) return thrown
  const { source, status, errors } = Object(thrown)
  if (isManagementError(source)) return source
  return typeof status === 'number' ? toRefusal(status, errors) : new ManagementError('RESPONSE_INVALID')
}

/** The longest code of the API. Those that are known have at most 25 characters. */
const MAX_CODE_LENGTH = 100

/**
 * Makes the error for an answer that is not 2xx. `errors` is a list, and on the rate limit a single object. Its texts
 * are cleaned, because errors are printed.
 */
export function toRefusal(status: number, errors: unknown): ManagementError {
  const { code, detail, title, source } = Object(Array.isArray(errors) ? errors[0] : errors)
  return new ManagementError(readText(code, MAX_CODE_LENGTH) ?? `HTTP_${status}`, {
    status,
    pointer: readText(source?.pointer),
    detail: readText(detail) ?? readText(title),
  })
}

function readText(value: unknown, maxLength?: number): string | undefined {
  return typeof value === 'string' && value !== '' ? cleanText(value, maxLength) : undefined
}

function describe(code: string, { status, pointer, detail }: ManagementErrorOptions): string {
  const sentence = Object.hasOwn(FAILURES, code)
    ? FAILURES[code as ManagementFailure]
    : `Commerce Layer answered ${code.startsWith('HTTP_') ? status : `${status} ${code}`}.`
  const more = [detail, pointer && `(${pointer})`].filter(Boolean).join(' ')
  return more ? `${sentence} ${more}` : sentence
}
