import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { answerNode } from '../bridge/node.ts'
import { checkMethods } from '../core/check-options.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'Pass the request on before anything reads it, or keep its bytes in `request.rawBody`. Where the host parses JSON itself and keeps ' +
  'no bytes (Vercel, unless NODEJS_HELPERS=0 is set), use `hooklayer/fetch`.'

/**
 * Makes a listener of `http.createServer`, of `http2.createServer` and `http2.createSecureServer`, and of other hosts
 * with `(request, response)` functions: Google Cloud Functions, Firebase (their `rawBody` is used) and Azure. It
 * answers every request.
 *
 * @throws TypeError if `receiver` has no method `receive`.
 * @example
 * createServer(createNodeListener(receiver)).listen(3000)
 */
export function createNodeListener(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => Promise<void> {
  checkMethods('receiver', receiver, ['receive'])
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
