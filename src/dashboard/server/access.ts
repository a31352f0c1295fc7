import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { maskText } from '../../core/mask-text.ts'
import type { Authorize } from './options.ts'
import { Refusal } from './problem.ts'

/** Others are refused before anybody is asked: the Fetch API cannot make a request of `TRACE`. */
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'DELETE']

/** The header that has the token of the page, in calls that change something. */
const TOKEN_HEADER = 'x-hooklayer-token'

const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
].join('; ')

/** Of every answer. */
const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

/** Adds the headers that keep a browser strict. Nothing is stored, unless the answer says otherwise. */
export function addSecurityHeaders(answer: Response): Response {
  const headers = new Headers(answer.headers)
  for (const [name, value] of Object.entries(HEADERS)) headers.set(name, value)
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  return new Response(answer.body, { status: answer.status, headers })
}

/** Makes the token of the page. With a key, all processes that have it make the same. */
export function createToken(key: string | undefined): string {
  if (key === undefined) return randomBytes(32).toString('base64url')
  return createHmac('sha256', key).update('hooklayer dashboard').digest('base64url')
}

/**
 * Asks `authorize`.
 *
 * @returns its response, such as a redirect; `undefined` if the request may pass.
 * @throws Refusal 403, and 500 if it throws.
 */
export async function checkAccess(
  request: Request,
  incoming: IncomingMessage | undefined,
  { authorize, onFailure }: { readonly authorize: Authorize; readonly onFailure: (message: string) => void },
): Promise<Response | undefined> {
  // A copy without the body: whoever reads it would take it away from the call. Hosts may give no true `Request`.
  const { url, method, headers } = request
  if (!METHODS.includes(method)) throw new Refusal(405, 'No call has this method.', { allow: METHODS.join(', ') })
  const question = new Request(url, { method, headers: new Headers(headers) })
  let decision: unknown
  try {
    decision = await authorize(question, incoming)
  } catch (error) {
    onFailure(`\`authorize\` of the dashboard failed: ${maskText(String(Object(error).message ?? error))}`)
    throw new Refusal(500, 'It could not be found out whether you may see this. The log of the server says why.')
  }
  if (decision instanceof Response) return decision
  if (decision !== true) throw new Refusal(403, 'You may not see this dashboard. Sign in, or ask who runs it.')
  return undefined
}

/**
 * Refuses a call from the page of another origin, and a change without the token of the page.
 *
 * @throws Refusal 403
 */
export function checkCall(request: Request, token: string): void {
  const isReading = request.method === 'GET' || request.method === 'HEAD'
  if (!isSameOrigin(request, isReading)) {
    throw new Refusal(403, 'Calls must come from the page of the dashboard itself.')
  }
  if (!isReading && !isSame(request.headers.get(TOKEN_HEADER) ?? '', token)) {
    throw new Refusal(403, 'The page is from an earlier start of the server. Reload it, and try again.')
  }
}

/**
 * Browsers say where a request comes from, and no script can change that. `Sec-Fetch-Site` is right behind proxies too;
 * without https, and in older browsers, there is only `Origin`.
 *
 * @param otherwise for a request that has neither.
 */
function isSameOrigin({ headers, url }: Request, otherwise: boolean): boolean {
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  if (site !== null) return site === 'same-origin' || (site === 'none' && origin === null && otherwise)
  if (origin === null) return otherwise
  return URL.canParse(origin) && new URL(origin).host === (headers.get('host') ?? new URL(url).host)
}

/** In a time that does not depend on where they differ. */
function isSame(given: string, expected: string): boolean {
  const [one, other] = [given, expected].map((text) => createHash('sha256').update(text).digest())
  return one !== undefined && other !== undefined && timingSafeEqual(one, other)
}
