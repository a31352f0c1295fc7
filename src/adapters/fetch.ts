import { answerWeb } from '../bridge/web.ts'
import { checkMethods } from '../core/check-options.ts'
import { checkReceiveOptions, type ReceiveOptions } from '../core/http/request.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX = 'Pass the request on before request.json(), request.text() or the like reads its body.'

/**
 * Makes a function from `Request` to `Response`, for every platform with the Fetch API: Hono, Bun, Deno, Workers,
 * Netlify, Vercel, SvelteKit, Astro, Remix. It answers every request.
 *
 * @param options `{ background: waitUntil }` answers before the handlers run. Failed handlers are not retried then.
 * @throws TypeError if `receiver` has no method `receive`, or an option is unknown or no function.
 * @example
 * app.post('/webhooks', (c) => createFetchHandler(receiver)(c.req.raw))
 */
export function createFetchHandler(
  receiver: Pick<Receiver, 'receive'>,
  options: ReceiveOptions = {},
): (request: Request) => Promise<Response> {
  checkMethods('receiver', receiver, ['receive'])
  checkReceiveOptions('createFetchHandler', options)
  return (request) => answerWeb(receiver.receive, request, FIX, options)
}
