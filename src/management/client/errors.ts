/** Errors are recognised by this tag, not by `instanceof`: a program may hold two copies of the package (ESM and CJS). */
const TAG = Symbol.for('hooklayer.management-error')

/** What went wrong on the way to Commerce Layer's API and back; what the API itself refused has the API's code. */
const FAILURES = {
  UNREACHABLE: 'Commerce Layer could not be reached.',
  CONNECTION_LOST: 'The connection to Commerce Layer broke before there was an answer.',
  TIMEOUT: 'Commerce Layer did not answer in time.',
  OUTCOME_UNKNOWN: 'It is not known whether Commerce Layer did it: look before you try again.',
  RATE_LIMITED: 'The rate limit of Commerce Layer leaves no room for the request within two minutes.',
  CREDENTIALS_REFUSED: 'Commerce Layer does not accept the client id and secret.',
  RESPONSE_INVALID: 'The answer is not one that Commerce Layer gives: is `url` right?',
  JS_AUTH_MISSING: 'Install @commercelayer/js-auth 8, which gets tokens, or hand in an `accessToken`.',
} as const

export type ManagementFailure = keyof typeof FAILURES

export interface ManagementErrorOptions {
  /** The HTTP status that came back. */
  readonly status?: number | undefined
  /** The place in the request that is wrong, a JSON pointer such as `/data/attributes/topic`. */
  readonly pointer?: string | undefined
  /** What is known about it, in a sentence. */
  readonly detail?: string | undefined
}

/**
 * Why a call of Commerce Layer's API failed. `code` is one of ours ({@link ManagementFailure}) or the API's own, such as
 * `VALIDATION_ERROR` or `RECORD_NOT_FOUND`, or `HTTP_500` and the like where an answer has none. It has no `cause`: what the SDK and `fetch` throw may hold the request, and so a token.
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

/** Whether something that was thrown is a {@link ManagementError}, of whichever copy of the package. */
export function isManagementError(thrown: unknown): thrown is ManagementError {
  return typeof thrown === 'object' && thrown !== null && TAG in thrown
}

/** The error for what the SDK threw: its answer of the API, or what our own `fetch` threw inside it. */
export function toManagementError(thrown: unknown): ManagementError {
  if (isManagementError(thrown)) return thrown
  const { source, status, errors } = Object(thrown)
  if (isManagementError(source)) return source
  return typeof status === 'number' ? toRefusal(status, errors) : new ManagementError('RESPONSE_INVALID')
}

/** The error for an answer that is none of 2xx: `errors` is a list, and on the rate limit a single one. */
export function toRefusal(status: number, errors: unknown): ManagementError {
  const { code, detail, title, source } = Object(Array.isArray(errors) ? errors[0] : errors)
  return new ManagementError(nonEmptyText(code) ?? `HTTP_${status}`, {
    status,
    pointer: nonEmptyText(source?.pointer),
    detail: nonEmptyText(detail) ?? nonEmptyText(title),
  })
}

function nonEmptyText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function describe(code: string, { status, pointer, detail }: ManagementErrorOptions): string {
  const sentence = Object.hasOwn(FAILURES, code)
    ? FAILURES[code as ManagementFailure]
    : `Commerce Layer answered ${code.startsWith('HTTP_') ? status : `${status} ${code}`}.`
  const more = [detail, pointer && `(${pointer})`].filter(Boolean).join(' ')
  return more ? `${sentence} ${more}` : sentence
}
