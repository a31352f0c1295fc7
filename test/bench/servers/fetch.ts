import { getRequestListener } from '@hono/node-server'
import { built } from '../built.ts'
import type { Contestants } from './contestant.ts'
import { judge } from './hand-written.ts'
import { octokitOnWeb } from './octokit.ts'
import { receiver } from './ours.ts'

export const contestants: Contestants = {
  async hooklayer() {
    const { createFetchHandler } = await built('fetch')
    return getRequestListener(createFetchHandler(await receiver()))
  },
  'hand-written': () =>
    getRequestListener(async (request) => {
      const body = Buffer.from(await request.arrayBuffer())
      const { status, answer } = judge(body, request.headers.get('x-commercelayer-signature'))
      return Response.json(answer, { status })
    }),
  octokit: async () => getRequestListener(await octokitOnWeb()),
}
