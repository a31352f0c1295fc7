import type { IncomingMessage, RequestListener } from 'node:http'
import getRawBody from 'raw-body'
import { built } from '../built.ts'
import type { Contestants } from './contestant.ts'
import { bytesOf, judge } from './hand-written.ts'
import { octokitOnNode } from './octokit.ts'
import { receiver } from './ours.ts'

/** They differ only in how the body is read, which is most of the extra cost of a small delivery with us. */
const handWritten =
  (read: (request: IncomingMessage) => Promise<Buffer>): RequestListener =>
  async (request, response) => {
    const { status, answer } = judge(await read(request), request.headers['x-commercelayer-signature'])
    response.statusCode = status
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  }

export const contestants: Contestants = {
  async hooklayer() {
    const { createNodeListener } = await built('node')
    return createNodeListener(await receiver())
  },
  'hand-written': () => handWritten(bytesOf),
  'hand-written, raw-body': () => handWritten((request) => getRawBody(request, { limit: 5 * 1024 * 1024 })),
  octokit: octokitOnNode,
}
