import { answerWeb } from '../bridge/web.ts'
import type { ReceiveOptions } from '../core/http/request.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'In a route handler, hand the request over before request.json(), request.text() and the like: they use it up.'

/**
 * The receiver as a route handler of Next's App Router, on Node and on edge: `export const POST = createRouteHandler(receiver)`.
 * Next answers other methods itself. `next build` loads the file too: give the receiver's `secrets` as a function, unless the
 * secrets are there at that time.
 *
 * @param options `{ background: after }`, with Next's `after`, answers before the handlers run; see there what that can lose.
 */
export function createRouteHandler(
  receiver: Pick<Receiver, 'receive'>,
  options: ReceiveOptions = {},
): (request: Request) => Promise<Response> {
  return (request) => answerWeb(receiver.receive, request, FIX, options)
}
