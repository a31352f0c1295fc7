import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode } from '../bridge/node.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  "In Express, mount the receiver above the parser: app.use('/webhooks', createExpressMiddleware(receiver)) before " +
  "app.use(express.json()), or give its path a parser that keeps the bytes: express.raw({ type: '*/*', limit: '5mb' })."

/**
 * The receiver as a middleware of Express 4 and 5, or of anything else that has Connect's `(req, res)`: for `app.use(path, …)`
 * or `app.post(path, …)`. It answers every request that reaches it and never calls `next`.
 *
 * It reads the body itself. Mounted behind a parser it works all the same if that kept the bytes (`req.rawBody`,
 * `express.raw()`, `express.text()`), and answers `BODY_ALREADY_PARSED` (500) if it did not.
 */
export function createExpressMiddleware(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
