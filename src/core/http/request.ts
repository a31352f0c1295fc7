import { WebhookError } from '../errors.ts'

/** What is asked of a `Headers` object, of whichever library. */
interface FetchHeaders {
  get(name: string): string | null
  append(name: string, value: string): void
}

/** Header fields in any shape: a `Headers`, a list of entries, or a record whose names may be in any case. */
export type HeadersLike =
  | FetchHeaders
  | readonly (readonly [name: string, value: string])[]
  | ReadonlyMap<string, string>
  | { readonly [name: string]: string | readonly string[] | undefined }

/** Reads a body that is still on its way, giving up as soon as it has more than `maxBytes` bytes. */
export type ReadBody = (options: { readonly maxBytes: number }) => Promise<Uint8Array | string>

/** A request as the receiver sees it, whatever framework it came through. */
export interface WebhookRequest {
  readonly method: string
  readonly headers: HeadersLike
  /** The bytes as they came. Text stands for its UTF-8 bytes; a function is called once the request has been let in. */
  readonly body: Uint8Array | string | ReadBody
}

/** How a request is received. */
export interface ReceiveOptions {
  /**
   * Answers 202 as soon as the delivery is verified and parsed, and gives the handlers' work to this function: the `waitUntil`
   * of the platform, Next's `after`. There is no deadline then, and no second chance: what fails, or is under way when the
   * platform ends the instance, is told to the log and `onError` at best, and Commerce Layer does not send it again.
   * Default: the handlers run first.
   */
  readonly background?: ((work: Promise<unknown>) => void) | undefined
}

/** The answer, ready to be written. */
export interface WebhookResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string
}

/**
 * The value of a header, `name` in lower case. Repeated fields are joined by `, ` as Node and `Headers` do it, so that a
 * doubled signature or topic is seen as what it is: a malformed one.
 */
export function getHeader(headers: HeadersLike, name: string): string | undefined {
  if (isFetchHeaders(headers)) return headers.get(name) ?? undefined
  if (Symbol.iterator in Object(headers)) {
    const values = Array.from(headers as Iterable<readonly [string, string]>).flatMap(([field, value]) =>
      isNamed(field, name) ? [value] : [],
    )
    return values.length === 0 ? undefined : values.join(', ')
  }
  const record = headers as Readonly<Record<string, string | readonly string[] | undefined>>
  const field = Object.hasOwn(record, name) ? name : Object.keys(record).find((key) => isNamed(key, name))
  const value = field === undefined ? undefined : record[field]
  return typeof value === 'object' ? value.join(', ') : value
}

function isFetchHeaders(headers: HeadersLike): headers is FetchHeaders {
  return 'append' in Object(headers) && typeof (headers as FetchHeaders).append === 'function'
}

function isNamed(field: string, name: string): boolean {
  return field.length === name.length && field.toLowerCase() === name
}

const encoder = new TextEncoder()

/**
 * The bytes of a body that has arrived; text stands for its UTF-8 bytes.
 *
 * @throws WebhookError `BODY_ALREADY_PARSED` if it is anything else.
 */
export function toBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  if (typeof body === 'string') return encoder.encode(body)
  throw new WebhookError('BODY_ALREADY_PARSED')
}
