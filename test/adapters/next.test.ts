import { afterAll, describe, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { ORDER } from '../contracts/adapter/deliveries.ts'
import { openScene, send } from '../contracts/adapter/harness.ts'
import { ELSEWHERE, type Lacks, type Listening, NO_BACKGROUND } from '../contracts/adapter/host.ts'
import { startNext } from '../contracts/adapter/next-project.ts'

const PATIENCE_MS = 150_000

/** One project for the whole file: to build it takes longer than all the rest. */
let project: Promise<Listening> | undefined
afterAll(async () => (await project)?.close(), 10_000)

async function startAt(path: string): Promise<Listening> {
  project ??= startNext()
  const { url } = await project
  return { url: `${url}${path}`, close: async () => {} }
}

const ROUTE: Lacks = {
  ...ELSEWHERE,
  'every method': 'Next itself answers methods for which a route exports nothing',
}
const ON_NODE: Lacks = {
  ...ROUTE,
  closing: 'Node closes the connection as soon as the answer has ended',
}
const ON_EDGE: Lacks = { ...ROUTE, 'bodies on their way': 'Next reads the whole body before it starts the edge' }
const IN_PAGES: Lacks = { ...ELSEWHERE, ...NO_BACKGROUND }

testAdapter('Next, App Router on Node', () => startAt('/node'), ON_NODE, PATIENCE_MS)
testAdapter('Next, App Router on edge', () => startAt('/edge'), ON_EDGE, PATIENCE_MS)
testAdapter('Next, Pages Router', () => startAt('/api/webhooks'), IN_PAGES, PATIENCE_MS)

describe('Next, which has its own ways:', () => {
  it.each([
    [
      'a `Request` that was already read',
      '/read',
      'pass the request on before request.json(), request.text() or the like',
    ],
    [
      'an API route without the line that Next wants',
      '/api/parsed',
      'export const config = { api: { bodyParser: false } }',
    ],
  ])(
    'answers 500 at once to %s, and says how to fix it',
    async (_, path, fix) => {
      const { url } = await startAt(path)
      const scene = await openScene(url)
      const begin = performance.now()
      const answer = await send(scene, ORDER)
      expect(performance.now() - begin).toBeLessThan(1000)
      expect([answer.status, answer.body.error.code]).toEqual([500, 'BODY_ALREADY_PARSED'])
      expect(answer.body.error.message).toContain(fix)
      expect(await scene.seen()).toEqual({ events: [], ended: 0, errors: ['BODY_ALREADY_PARSED'] })
    },
    PATIENCE_MS,
  )

  it('answers 405 to the methods for which a route exports nothing', async () => {
    const { url } = await startAt('/node')
    for (const method of ['get', 'put', 'patch', 'delete'] as const) {
      expect((await send({ url }, ORDER, method)).status).toBe(405)
    }
  }, 150_000)
})
