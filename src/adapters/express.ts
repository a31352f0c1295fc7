import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode } from '../bridge/node.ts'
import { checkMethods } from '../core/check-options.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  "In Express, mount the receiver above the parser: app.use('/webhooks', createExpressMiddleware(receiver)) before " +
  "app.use(express.json()), or give its path a parser that keeps the bytes: express.raw({ type: '*/*', limit: '5mb' })."

/**
 * Makes a middleware of Express 4 and 5, and of other frameworks with `(req, res)` middleware. It answers every request
 * that reaches it, and never calls `next`.
 *
 * It reads the body itself. Behind a body parser it works if the parser kept the bytes (`req.rawBody`, `express.raw()`,
 * `express.text()`); otherwise it answers `BODY_ALREADY_PARSED` (500).
 *
 * @throws TypeError if `receiver` has no method `receive`.
 * @example
 * app.use('/webhooks', createExpressMiddleware(receiver))
 */
export function createExpressMiddleware(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  checkMethods('receiver', receiver, ['receive'])
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
