import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Listening } from '../../contracts/adapter/host.ts'
import { EVENTS, type MakeEvent } from '../../contracts/adapter/lambda-events.ts'
import { startLambda } from '../../contracts/adapter/lambda-front.ts'
import { listen } from '../../contracts/adapter/listen.ts'
import { SHOP_SECRET } from '../../faults/wrong-receivers/deliveries.ts'
import { buildReceivers, createStage } from '../../faults/wrong-receivers/stage.ts'
import { listFindings, probeEndpoint } from './probe-endpoint.ts'
import { createApp as createParsingApp } from './receivers/express-json.ts'
import { createApp as createThrowingApp } from './receivers/express-safe-equal.ts'
import { createHandler } from './receivers/lambda-hex.ts'
import { createRoute } from './receivers/next-route.ts'
import { createListener } from './receivers/node-slow.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const work = () => sleep(5200)

interface HandWritten {
  start(): Promise<Listening>
  /** The probes that find its mistakes, apart from those that are wrong in the same way as the first of their kind. */
  readonly wrong: readonly string[]
  /** How many are wrong in the same way. */
  readonly same: number
}

const HAND_WRITTEN: Readonly<Record<string, HandWritten>> = {
  'Express, which verifies JSON.stringify(req.body), ends at 100 kB and binds no topic': {
    start: () => listen(createParsingApp(SECRET), '/webhooks'),
    wrong: ['floats', '1 MB', 're-serialized', 'other topic', 'not json', 'empty'],
    same: 0,
  },
  'Next, which answers 202 before it verifies': {
    start: () => listen(getRequestListener(createRoute(SECRET, async () => {})), '/webhooks'),
    wrong: ['forged'],
    same: 12,
  },
  'Lambda, which compares a hex digest': {
    start: () => startLambda(EVENTS['a function URL'] as MakeEvent, createHandler(SECRET) as never),
    wrong: ['plain', 'hex signature'],
    same: 10,
  },
  'Express, whose comparison throws for another length': {
    start: () => listen(createThrowingApp(SECRET), '/webhooks'),
    wrong: ['unsigned', 'short signature', 'two signatures', 'hex signature', 'other topic', 'empty'],
    same: 0,
  },
  'node:http, which answers after 5 s and adds chunks up as text': {
    start: () => listen(createListener({ 'orders.place': SECRET }, work), '/webhooks'),
    wrong: ['plain', 'split'],
    same: 7,
  },
}

describe.concurrent('the probes find what is wrong with a hand-written receiver of', { timeout: 120_000 }, () => {
  it.each(Object.entries(HAND_WRITTEN))('%s', async (_, { start, wrong, same }) => {
    const { url, close } = await start()
    try {
      const found = await probeEndpoint(url, { secret: SECRET })
      expect(found.filter(({ result }) => result === 'wrong').map(({ probe }) => probe)).toEqual(wrong)
      expect(found.filter(({ result }) => result === 'same')).toHaveLength(same)
      for (const { result, means, fix } of found) {
        if (result === 'wrong') expect([means, fix]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)])
      }
    } finally {
      await close()
    }
  })
})

/** What they share with the careful one, which is there for other mistakes: one secret, and `undefined` as a body. */
const SHARED = ['empty', 'other topic']

/** Why the mistake of a receiver cannot be seen from its answers, or the probes that see it. */
const MISTAKES: Readonly<Record<string, string | readonly string[]>> = {
  'acknowledges-first': 'a 2xx looks the same before the work and after it',
  'acts-before-checking': 'a mail that is sent twice is no part of an answer',
  'assumes-order': 'which version took effect last is no part of an answer',
  careful: SHARED,
  'checks-then-inserts': 'work that is done twice is no part of an answer',
  'crashes-unfenced': 'it takes a crash, and the key is for another system',
  'keeps-no-record': 'work that is done twice is no part of an answer',
  'logs-what-comes': 'its log is not public',
  'parses-first': ['not json', 'other topic'], // its handler of errors answers 400 to an empty body
  'records-in-memory': 'it takes a second process',
}

describe('of the wrong receivers', { timeout: 120_000 }, () => {
  beforeAll(() => buildReceivers(Object.keys(MISTAKES)))

  it('each has a line here', () => {
    const parts = ['event-records.ts', 'hooklayer.ts', 'shop.ts']
    const programs = readdirSync('test/faults/wrong-receivers/receivers').filter((file) => !parts.includes(file))
    expect(programs.map((file) => file.replace('.ts', ''))).toEqual(Object.keys(MISTAKES))
  })

  it.concurrent.each(Object.entries(MISTAKES))('%s is seen as far as it can be: %j', async (program, mistake) => {
    const stage = createStage({ program }, 'doctor')
    try {
      const { url } = await stage.start()
      const { wrong } = listFindings(await probeEndpoint(url, { secret: SHOP_SECRET }))
      expect(wrong.sort()).toEqual(typeof mistake === 'string' ? SHARED : mistake)
    } finally {
      await stage.close()
    }
  })
})
