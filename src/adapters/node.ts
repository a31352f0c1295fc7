import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode } from '../bridge/node.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'Hand the request over before anything reads it, or keep its bytes in `request.rawBody`: a host that parses JSON by itself ' +
  'and keeps no bytes (Vercel does, unless NODEJS_HELPERS=0 is set) cannot be used this way, but has `hooklayer/fetch`.'

/**
 * The receiver as a listener of `http.createServer`, and as the `(request, response)` function of hosts that have one: Google
 * Cloud Functions and Firebase (whose `rawBody` is used), Azure's Express-like ones. It answers every request it is given.
 */
export function createNodeListener(
  receiver: Pick<Receiver, 'receive'>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return (request, response) => answerNode(receiver.receive, request, response, FIX)
}
