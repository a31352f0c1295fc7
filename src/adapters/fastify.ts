import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { answerNode, type HostBody } from '../bridge/node.ts'
import { checkMethods } from '../core/check-options.ts'
import type { Receiver } from '../receiver/receiver.ts'

export type { HostBody }

/** The methods of a Fastify instance that are used. */
export interface FastifyInstance {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null) => void) => void,
  ): unknown
  all(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): unknown
}

interface FastifyRequest extends HostBody {
  readonly raw: IncomingMessage | Http2ServerRequest
}

interface FastifyReply {
  readonly raw: ServerResponse | Http2ServerResponse
  hijack(): unknown
}

const FIX =
  'In Fastify, register the plugin as it is, without fastify-plugin: app.register(createFastifyPlugin(receiver), ' +
  '{ prefix: "/webhooks" }). It keeps the parsers away from its own route; a preParsing hook must leave the payload unread.'

/**
 * Makes a Fastify plugin with one route, which reads its own body and answers every method. The parsers of other routes
 * stay.
 *
 * @throws TypeError if `receiver` has no method `receive`.
 * @example
 * await app.register(createFastifyPlugin(receiver), { prefix: '/webhooks' })
 */
export function createFastifyPlugin(receiver: Pick<Receiver, 'receive'>): (instance: FastifyInstance) => Promise<void> {
  checkMethods('receiver', receiver, ['receive'])
  return async (instance) => {
    instance.removeAllContentTypeParsers()
    instance.addContentTypeParser('*', (_request, _payload, done) => done(null))
    instance.all('/', (request, reply) => {
      reply.hijack()
      return answerNode(receiver.receive, request.raw, reply.raw, FIX, request)
    })
  }
}
