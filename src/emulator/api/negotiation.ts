import type { Context } from 'hono'
import { isTooDeep, MAX_DEPTH } from '../depth.ts'
import { refuse } from './errors.ts'

/** The media type of the API. */
export const JSON_API = 'application/vnd.api+json'

/** @throws ApiError `NOT_ACCEPTABLE` unless the client accepts JSON:API. A client without an `Accept` header does. */
export function checkAccept(c: Context): void {
  const types = (c.req.header('accept') ?? '*/*').split(',').map((type) => type.split(';')[0]?.trim().toLowerCase())
  if (types.some((type) => type === JSON_API || type === '*/*' || type === 'application/*')) return
  throw refuse('NOT_ACCEPTABLE', `All requests must accept ${JSON_API}.`)
}

/**
 * Reads the JSON body of a request.
 *
 * @throws ApiError `UNSUPPORTED_MEDIA_TYPE` unless its `Content-Type` is JSON:API, `BAD_REQUEST` if it is not JSON, or
 * too deep.
 */
export async function readJson(c: Context): Promise<unknown> {
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== JSON_API) {
    throw refuse('UNSUPPORTED_MEDIA_TYPE', `All requests that create or update must be of Content-Type ${JSON_API}.`)
  }
  return parseJson(await c.req.text())
}

/** @throws ApiError `BAD_REQUEST` if the text is not JSON, or too deep. */
export function parseJson(text: string): unknown {
  const json = readText(text)
  if (isTooDeep(json)) throw refuse('BAD_REQUEST', `The body of the request has more than ${MAX_DEPTH} levels.`)
  return json
}

function readText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw refuse('BAD_REQUEST', 'The body of the request is not valid JSON.')
  }
}
