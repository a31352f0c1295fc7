import { answerWeb } from '../bridge/web.ts'
import type { ReceiveOptions } from '../core/http/request.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX = 'Hand the request over before request.json(), request.text() and the like: they use it up.'

/**
 * The receiver as a function from `Request` to `Response`: for Hono, Bun, Deno, Workers, Netlify, Vercel, SvelteKit, Astro,
 * Remix, and whatever else speaks the Fetch API. It answers every request it is given.
 *
 * @param options `{ background: waitUntil }` answers before the handlers run; see there what that can lose.
 */
export function createFetchHandler(
  receiver: Pick<Receiver, 'receive'>,
  options: ReceiveOptions = {},
): (request: Request) => Promise<Response> {
  return (request) => answerWeb(receiver.receive, request, FIX, options)
}
