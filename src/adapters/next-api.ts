import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode } from '../bridge/node.ts'
import { checkMethods } from '../core/check-options.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'In the Pages Router, the file of the API route must say, literally: ' +
  'export const config = { api: { bodyParser: false } }'

/**
 * Makes an API route of Next's Pages Router. The file must also export `config` as below: Next reads it from the
 * source, so a library cannot export it. Without it the answer is `BODY_ALREADY_PARSED` (500).
 *
 * @throws TypeError if `receiver` has no method `receive`.
 * @example
 * export const config = { api: { bodyParser: false } }
 * export default createApiHandler(receiver)
 */
export function createApiHandler(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  checkMethods('receiver', receiver, ['receive'])
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
