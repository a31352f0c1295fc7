import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode } from '../bridge/node.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'Pass the request on before anything reads it, or keep its bytes in `request.rawBody`. Where the host parses JSON itself and keeps ' +
  'no bytes (Vercel, unless NODEJS_HELPERS=0 is set), use `hooklayer/fetch`.'

/**
 * Makes a listener of `http.createServer`, and of other hosts with `(request, response)` functions: Google Cloud
 * Functions, Firebase (their `rawBody` is used) and Azure. It answers every request.
 *
 * @example
 * createServer(createNodeListener(receiver)).listen(3000)
 */
export function createNodeListener(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
