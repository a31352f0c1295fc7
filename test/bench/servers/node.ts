import { built } from '../built.ts'
import type { Contestants } from './contestant.ts'
import { bytesOf, judge } from './hand-written.ts'
import { octokitOnNode } from './octokit.ts'
import { receiver } from './ours.ts'

export const contestants: Contestants = {
  async hooklayer() {
    const { createNodeListener } = await built('node')
    return createNodeListener(await receiver())
  },
  'hand-written': () => async (request, response) => {
    const { status, answer } = judge(await bytesOf(request), request.headers['x-commercelayer-signature'])
    response.statusCode = status
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  },
  octokit: octokitOnNode,
}
