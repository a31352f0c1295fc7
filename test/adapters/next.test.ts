import { afterAll, expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { ORDER, PARSED } from '../contracts/adapter/deliveries.ts'
import { openRemote, send } from '../contracts/adapter/harness.ts'
import { type Limitations, type Listening, NO_BACKGROUND, OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { startNext } from '../contracts/adapter/next-project.ts'
import { installFixture } from '../fixtures/install.ts'
import { describeUnless } from '../unless.ts'

/** Next is installed and built first. */
const START_TIMEOUT_MS = 240_000

const missing = await installFixture('next')

/** One project for the whole file: building it takes longer than all tests. */
let project: Promise<Listening> | undefined
afterAll(async () => (await project)?.close(), 10_000)

async function startAt(path: string): Promise<Listening> {
  project ??= startNext()
  const { url } = await project
  return { url: `${url}${path}`, close: async () => {} }
}

const ROUTE: Limitations = {
  ...OTHER_PROCESS,
  'every method': 'Next itself answers methods for which a route exports nothing',
}
const ON_NODE: Limitations = {
  ...ROUTE,
  closing: 'Node closes the connection as soon as the answer has ended',
}
const ON_EDGE: Limitations = { ...ROUTE, 'streamed bodies': 'Next reads the whole body before it starts the edge' }
const IN_PAGES: Limitations = { ...OTHER_PROCESS, ...NO_BACKGROUND }

testAdapter('Next, App Router on Node', () => startAt('/node'), {
  missing,
  limitations: ON_NODE,
  startTimeoutMs: START_TIMEOUT_MS,
})
testAdapter('Next, App Router on edge', () => startAt('/edge'), {
  missing,
  limitations: ON_EDGE,
  startTimeoutMs: START_TIMEOUT_MS,
})
testAdapter('Next, Pages Router', () => startAt('/api/webhooks'), {
  missing,
  limitations: IN_PAGES,
  startTimeoutMs: START_TIMEOUT_MS,
})

describeUnless(missing)('Next, in particular:', () => {
  it.each([
    [
      'a `Request` that was already read',
      '/read',
      'pass the request on before request.json(), request.text() or the like',
    ],
    [
      'an API route without the `config` that Next needs',
      '/api/parsed',
      'export const config = { api: { bodyParser: false } }',
    ],
  ])(
    'answers 500 at once to %s, and says how to fix it in `onError` only',
    async (_, path, fix) => {
      const { url } = await startAt(path)
      const remote = await openRemote(url)
      const begin = performance.now()
      const answer = await send(remote, ORDER)
      expect(performance.now() - begin).toBeLessThan(1000)
      expect([answer.status, answer.body]).toEqual([500, PARSED])
      const hints = [expect.stringContaining(fix)]
      expect(await remote.observed()).toEqual({ events: [], ended: 0, errors: ['BODY_ALREADY_PARSED'], hints })
    },
    START_TIMEOUT_MS,
  )

  it(
    'answers 405 to the methods for which a route exports nothing',
    async () => {
      const { url } = await startAt('/node')
      for (const method of ['get', 'put', 'patch', 'delete'] as const) {
        expect((await send({ url }, ORDER, method)).status).toBe(405)
      }
    },
    START_TIMEOUT_MS,
  )
})
