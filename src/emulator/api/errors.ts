/** An entry of `errors` in an answer. */
export interface ErrorObject {
  readonly title: string
  readonly detail: string
  readonly code: ErrorCode
  readonly source?: { readonly pointer: string }
  readonly status: string
  readonly meta?: { readonly error: string; readonly value?: unknown; readonly count?: number }
}

/**
 * The error codes of the API. Some are from its documentation and from captured traffic. Where only the status is
 * documented, the code is that of the framework behind the API (JSON:API Resources): an assumption. `FORBIDDEN` and
 * `PAYLOAD_TOO_LARGE` are the emulator's own.
 */
export type ErrorCode =
  | 'BAD_REQUEST'
  | 'FILTER_NOT_ALLOWED'
  | 'FORBIDDEN'
  | 'INTERNAL_SERVER_ERROR'
  | 'INVALID_FIELD'
  | 'INVALID_FILTER_VALUE'
  | 'INVALID_INCLUDE'
  | 'INVALID_PAGE_VALUE'
  | 'INVALID_RESOURCE'
  | 'INVALID_SORT_CRITERIA'
  | 'INVALID_TOKEN'
  | 'KEY_NOT_INCLUDED_IN_URL'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'PARAM_MISSING'
  | 'PARAM_NOT_ALLOWED'
  | 'PAYLOAD_TOO_LARGE'
  | 'RECORD_NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'VALIDATION_ERROR'

/** The status and title of each code. The title of a `VALIDATION_ERROR` is the text of its rule instead. */
const CODES: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  BAD_REQUEST: [400, 'Bad request'],
  FORBIDDEN: [403, 'Forbidden'],
  FILTER_NOT_ALLOWED: [400, 'Filter not allowed'],
  INTERNAL_SERVER_ERROR: [500, 'Internal server error'],
  INVALID_FIELD: [400, 'Invalid field'],
  INVALID_FILTER_VALUE: [400, 'Invalid filter value'],
  INVALID_INCLUDE: [400, 'Invalid include'],
  INVALID_PAGE_VALUE: [400, 'Invalid page value'],
  INVALID_RESOURCE: [400, 'Invalid resource'],
  INVALID_SORT_CRITERIA: [400, 'Invalid sort criteria'],
  INVALID_TOKEN: [401, 'Invalid token'],
  KEY_NOT_INCLUDED_IN_URL: [400, 'Key is not included in URL'],
  METHOD_NOT_ALLOWED: [405, 'Method not allowed'],
  NOT_ACCEPTABLE: [406, 'Not acceptable'],
  PARAM_MISSING: [400, 'Missing parameter'],
  PARAM_NOT_ALLOWED: [400, 'Param not allowed'],
  PAYLOAD_TOO_LARGE: [413, 'Payload too large'],
  RECORD_NOT_FOUND: [404, 'Record not found'],
  UNAUTHORIZED: [401, 'Unauthorized'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'Unsupported media type'],
  VALIDATION_ERROR: [422, 'is invalid'],
}

/** A refused request, with one error, or one for each wrong attribute. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly errors: readonly ErrorObject[]

  constructor(...errors: readonly ErrorObject[]) {
    super(errors.map(({ code }) => code).join(', '))
    this.errors = errors
  }

  /** The status of the answer: that of the first error. */
  get status(): number {
    return Number(this.errors[0]?.status ?? 500)
  }
}

/** Creates a refusal with one error. The detail may contain names from the request, but never values. */
export function refuse(code: ErrorCode, detail: string): ApiError {
  return new ApiError(createErrorObject(code, detail))
}

export function createErrorObject(code: ErrorCode, detail: string): ErrorObject {
  const [status, title] = CODES[code]
  return { title, detail, code, status: String(status) }
}

/** Creates the refusal of an unknown path or id, with the text of Commerce Layer. */
export function refuseNotFound(): ApiError {
  return refuse('RECORD_NOT_FOUND', 'The requested resource was not found. Please double-check the resource id.')
}

/** Creates the refusal of a method that a resource does not have. */
export function refuseMethod(method: string): ApiError {
  return refuse('METHOD_NOT_ALLOWED', `${method} is not allowed for this resource.`)
}

/** The rules for attributes: their name in `meta.error`, and their text, which is that of Rails. */
const RULES = {
  blank: "can't be blank",
  inclusion: 'is not included in the list',
  invalid: 'is invalid',
  taken: 'has already been taken',
  too_long: 'is too long (maximum is %{count} characters)',
} as const

export type Rule = keyof typeof RULES

/**
 * Creates the error of an attribute that breaks a rule, with the value that was given and the bound, if there is one,
 * as recorded.
 */
export function createAttributeError(attribute: string, rule: Rule, value: unknown, count?: number): ErrorObject {
  const title = RULES[rule].replace('%{count}', String(count))
  return {
    title,
    detail: `${attribute} - ${title}`,
    code: 'VALIDATION_ERROR',
    source: { pointer: `/data/attributes/${attribute}` },
    status: '422',
    meta: { error: rule, ...(value !== undefined && { value }), ...(count !== undefined && { count }) },
  }
}
