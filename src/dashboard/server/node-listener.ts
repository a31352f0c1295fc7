import type { IncomingMessage, ServerResponse } from 'node:http'
import { getRequestListener } from '@hono/node-server'

/** Node's request, with what a body parser adds. */
type ParsedRequest = IncomingMessage & { readonly body?: unknown; rawBody?: unknown }

/** Makes a listener of Node from a Fetch handler, which gets Node's request too. */
export function createNodeListener(
  answer: (request: Request, incoming: IncomingMessage) => Promise<Response>,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const listener = getRequestListener(
    (request, { incoming }) => answer(request, incoming as IncomingMessage),
    // The host's `Request` and `Response` stay as they are.
    { overrideGlobalObjects: false },
  )
  return async (request, response) => {
    restoreBody(request)
    await listener(request, response)
  }
}

/** A parser that came first has taken the body. What it made of it is as good: nothing is signed here. */
function restoreBody(request: ParsedRequest): void {
  const { body, rawBody, readableDidRead } = request
  if (!readableDidRead || body === undefined || Buffer.isBuffer(rawBody)) return
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  request.rawBody = bytes
}
