import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { answerNode, type HostBody } from '../bridge/node.ts'
import { checkMethods } from '../core/check-options.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type { HostBody }

/** The properties of Koa's context that are used. */
export interface KoaContext {
  readonly req: IncomingMessage | Http2ServerRequest
  readonly res: ServerResponse | Http2ServerResponse
  readonly request: HostBody
  respond?: boolean | undefined
  onerror?: ((error: unknown) => void) | undefined
}

const FIX =
  'In Koa, mount the receiver above the parser: app.use(mount("/webhooks", createKoaMiddleware(receiver))) before ' +
  'app.use(bodyParser()). A parser that keeps them may stay where it is: in ctx.request.rawBody, or with ' +
  '`includeUnparsed: true` of koa-body.'

/**
 * Makes a Koa middleware. It answers every request that reaches it, on Node's own response (`ctx.respond = false`), and
 * never calls `next`.
 *
 * @throws TypeError if `receiver` has no method `receive`.
 * @example
 * app.use(mount('/webhooks', createKoaMiddleware(receiver)))
 */
export function createKoaMiddleware(receiver: Pick<Receiver, 'receive'>): (context: KoaContext) => Promise<void> {
  checkMethods('receiver', receiver, ['receive'])
  return (context) => {
    context.respond = false
    silenceBrokenConnection(context)
    return answerNode(receiver.receive, context.req, context.res, FIX, context.request)
  }
}

/** Codes of the operating system (`ECONNRESET`), and of Node's HTTP parser. */
const CONNECTION_ERROR = /^(E[A-Z]+|HPE_[A-Z_]+)$/

/** Koa logs a stack for each connection that breaks, which strangers can cause at will. Other errors stay Koa's. */
function silenceBrokenConnection(context: KoaContext): void {
  const { onerror, req } = context
  context.onerror = (error) => {
    const { code } = Object(error)
    if (!req.socket.errored || !CONNECTION_ERROR.test(code)) onerror?.call(context, error)
  }
}
