import { checkOptions, wrongOption } from '../check-options.ts'
import { WebhookError } from '../errors.ts'

/** The methods of a `Headers` object that are used, whichever library it comes from. */
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

/** A body that has arrived. Text stands for its UTF-8 bytes. */
export type RawBody = ArrayBufferView | ArrayBuffer | string

/** Reads a body that has not arrived yet, and gives up as soon as it has more than `maxBytes` bytes. */
export type ReadBody = (options: ReadBodyOptions) => Promise<RawBody>

export interface ReadBodyOptions {
  readonly maxBytes: number
  /**
   * To be called with the number of bytes of each chunk. Where it gives a promise, the rest must not be read before
   * that resolves. Without these calls a receiver cannot tell a slow body from a stalled one.
   */
  readonly onProgress?: ((bytes: number) => Promise<void> | undefined) | undefined
}

/** An HTTP request in the form that the receiver takes from every framework. */
export interface WebhookRequest {
  readonly method: string
  readonly headers: HeadersLike
  /** The bytes as received. Text stands for its UTF-8 bytes; a function is called once the request is admitted. */
  readonly body: RawBody | ReadBody
}

/** Options for one request. */
export interface ReceiveOptions {
  /**
   * Answers 202 as soon as the delivery is verified and parsed, and passes the handlers' work to this function: the
   * platform's `waitUntil`, or Next's `after`. There is no deadline then, and no retry: Commerce Layer does not send
   * the delivery again. A failure reaches the log and `onError` only. If the platform stops the instance first, it is
   * not reported. Default: the handlers run before the answer.
   */
  readonly background?: ((work: Promise<unknown>) => void) | undefined
}

/** @throws TypeError for an option that is unknown, or is no function. */
export function checkReceiveOptions(owner: string, options: ReceiveOptions): void {
  checkOptions(owner, options, {}, ['background'])
  const { background } = options
  if (background && typeof background !== 'function') throw wrongOption(owner, 'background', 'must be a function')
}

/** The answer to a request, for the framework to write. */
export interface WebhookResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string
}

/**
 * Gives the value of a header; `name` is in lower case. Repeated fields are joined by `, `, as Node and `Headers` do
 * it, so that a signature or topic that is sent twice counts as malformed. So are the spellings of one name in a
 * record.
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
  let joined: string | undefined
  for (const field in record) {
    const value = isNamed(field, name) && Object.hasOwn(record, field) ? record[field] : undefined
    if (value === undefined) continue
    const text = typeof value === 'object' ? value.join(', ') : value
    joined = joined === undefined ? text : `${joined}, ${text}`
  }
  return joined
}

function isFetchHeaders(headers: HeadersLike): headers is FetchHeaders {
  return 'append' in Object(headers) && typeof (headers as FetchHeaders).append === 'function'
}

function isNamed(field: string, name: string): boolean {
  return field.length === name.length && (field === name || field.toLowerCase() === name)
}

const encoder = new TextEncoder()

/**
 * Gives the bytes of a body that has arrived: a `Uint8Array` or another view, an `ArrayBuffer`, or text, which stands
 * for its UTF-8 bytes. They may come from another realm, as in tests with jsdom.
 *
 * @throws WebhookError `BODY_ALREADY_PARSED` if it is neither bytes nor text.
 */
export function toBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  if (typeof body === 'string') return encoder.encode(body)
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength)
  const type = Object.prototype.toString.call(body).slice(8, -1)
  if (type.endsWith('ArrayBuffer')) return new Uint8Array(body as ArrayBuffer)
  throw new WebhookError('BODY_ALREADY_PARSED', { hint: `The body is neither bytes nor text, but of type ${type}.` })
}
