import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode } from '../bridge/node.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'In the Pages Router, the file of the API route must say, literally: ' +
  'export const config = { api: { bodyParser: false } }'

/**
 * The receiver as an API route of Next's Pages Router: `export default createApiHandler(receiver)`, with
 * `export const config = { api: { bodyParser: false } }` beside it. Next reads that line from the file, so no library can
 * export it for you; without it the answer is `BODY_ALREADY_PARSED` (500).
 */
export function createApiHandler(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
