import type { RequestListener } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import { built } from '../built.ts'
import { type Contestants, PATH } from './contestant.ts'
import { judge } from './hand-written.ts'
import { octokitOnNode } from './octokit.ts'
import { receiver } from './ours.ts'

export const contestants: Contestants = {
  async hooklayer() {
    const { createFastifyPlugin } = await built('fastify')
    const app = Fastify()
    app.register(createFastifyPlugin(await receiver()), { prefix: PATH })
    return listenerOf(app)
  },
  'hand-written'() {
    const app = Fastify()
    app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit: 5e6 }, (_request, body, done) => {
      done(null, body)
    })
    app.post<{ Body: Buffer }>(PATH, async (request, reply) => {
      const { status, answer } = judge(request.body, request.headers['x-commercelayer-signature'])
      reply.status(status)
      return answer
    })
    return listenerOf(app)
  },
  async octokit() {
    const middleware = await octokitOnNode()
    const app = Fastify()
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null))
    app.post(PATH, (request, reply) => {
      reply.hijack()
      return middleware(request.raw, reply.raw)
    })
    return listenerOf(app)
  },
}

async function listenerOf(app: FastifyInstance): Promise<RequestListener> {
  await app.ready()
  return app.routing
}
