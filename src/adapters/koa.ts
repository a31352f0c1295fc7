import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerNode, type HostBody } from '../bridge/node.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type { HostBody }

/** What is asked of Koa's context. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly request: HostBody
  respond?: boolean | undefined
}

const FIX =
  'In Koa, mount the receiver above the parser: app.use(mount("/webhooks", createKoaMiddleware(receiver))) before ' +
  'app.use(bodyParser()). A parser that keeps the bytes in ctx.request.rawBody may stay where it is.'

/**
 * The receiver as a Koa middleware, for `koa-mount`, a router's `all()` or `app.use()`. It answers every request that reaches
 * it, on Node's own response (`ctx.respond = false`), and never calls `next`.
 */
export function createKoaMiddleware(receiver: Pick<Receiver, 'receive'>): (context: KoaContext) => Promise<void> {
  return (context) => {
    context.respond = false
    return answerNode(receiver.receive, context.req, context.res, FIX, context.request)
  }
}
