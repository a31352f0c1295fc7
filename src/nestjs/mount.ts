import type { HttpAdapterHost } from '@nestjs/core'
import { answerNode, type NodeRequest, type NodeResponse } from '../bridge/node.ts'
import type { Receiver } from '../index.ts'

/** The hook of Fastify that is used. */
interface FastifyInstance {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void): unknown
}

interface FastifyRequest {
  readonly raw: NodeRequest
}

interface FastifyReply {
  readonly raw: NodeResponse
  hijack(): unknown
}

const FIX =
  'In Nest, HooklayerModule receives before the body parser if it is imported when the application is created. With ' +
  '`Test.createTestingModule` of Nest 10 it comes too late: createNestApplication({ rawBody: true }) keeps the bytes.'

/**
 * Receives at a path in front of everything that Nest itself does with a request: body parser, global prefix, versions,
 * guards, pipes, interceptors and filters.
 */
export function mountReceiver(
  { httpAdapter }: HttpAdapterHost,
  path: string,
  receiver: Pick<Receiver, 'receive'>,
): void {
  const answer = (request: NodeRequest, response: NodeResponse) =>
    answerNode((delivery) => receiver.receive(delivery), request, response, FIX)
  const isForReceiver = ({ url = '' }: NodeRequest) => {
    const [requested] = url.split('?', 1)
    return requested === path || requested === `${path}/`
  }
  if (httpAdapter.getType() === 'fastify') {
    const fastify: FastifyInstance = httpAdapter.getInstance()
    fastify.addHook('onRequest', ({ raw }, reply, done) => {
      if (!isForReceiver(raw)) return done()
      reply.hijack()
      answer(raw, reply.raw)
    })
  } else {
    httpAdapter.use((request: NodeRequest, response: NodeResponse, next: () => void) => {
      if (!isForReceiver(request)) return next()
      answer(request, response)
    })
  }
}
