import { answerWeb } from '../bridge/web.ts'
import { checkMethods } from '../core/check-options.ts'
import { checkReceiveOptions, type ReceiveOptions } from '../core/http/request.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX = 'In a route handler, pass the request on before request.json(), request.text() or the like reads its body.'

/**
 * Makes a route handler of Next's App Router, on Node and on the edge. Next answers other methods itself.
 *
 * `next build` loads the file as well. If the secrets are not set at that time, pass them as a function:
 * `secrets: (topic) => secretsFromEnv()[topic]`.
 *
 * @param options `{ background: after }`, with Next's `after`, answers before the handlers run. Failed handlers are not
 * retried then.
 * @throws TypeError if `receiver` has no method `receive`, or an option is unknown or no function.
 * @example
 * export const POST = createRouteHandler(receiver)
 */
export function createRouteHandler(
  receiver: Pick<Receiver, 'receive'>,
  options: ReceiveOptions = {},
): (request: Request) => Promise<Response> {
  checkMethods('receiver', receiver, ['receive'])
  checkReceiveOptions('createRouteHandler', options)
  return (request) => answerWeb(receiver.receive, request, FIX, options)
}
