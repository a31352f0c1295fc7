import { expect, it } from 'vitest'
import { testAdapter } from '../contracts/adapter/adapter.ts'
import { HANDLED, ORDER, orderText, PARSED, sentAs } from '../contracts/adapter/deliveries.ts'
import { startFramework } from '../contracts/adapter/framework.ts'
import { openRemote, type RemoteReceiver, send } from '../contracts/adapter/harness.ts'
import { NO_BACKGROUND, OTHER_PROCESS } from '../contracts/adapter/host.ts'
import { installFixture } from '../fixtures/install.ts'
import { describeUnless } from '../unless.ts'

type Fixture = 'nest10' | 'nest12'

const missing = (await installFixture('nest10')) ?? (await installFixture('nest12'))
/** It is packed first. */
const TIMEOUT_MS = 60_000
const BIG = sentAs('orders.place', orderText({ padding: 200_000 }))

testAdapter('Nest 10 on Express', () => startFramework('nest10', 'nest.ts', ['Express']), {
  missing,
  limitations: { ...NO_BACKGROUND, ...OTHER_PROCESS },
  startTimeoutMs: TIMEOUT_MS,
})
testAdapter('Nest 12 on Fastify', () => startFramework('nest12', 'nest.ts', ['Fastify']), {
  missing,
  limitations: { ...NO_BACKGROUND, ...OTHER_PROCESS },
  startTimeoutMs: TIMEOUT_MS,
})

describeUnless(missing)('An order over 100 kB is received', { timeout: TIMEOUT_MS }, () => {
  it.each<[string, Fixture, ...string[]]>([
    ['by Nest 10 on Fastify', 'nest10', 'Fastify'],
    ['by Nest 12 on Express', 'nest12', 'Express'],
    ['in the testing module of Nest 10 on Fastify', 'nest10', 'Fastify', 'testing'],
    ['in the testing module of Nest 12 on Express', 'nest12', 'Express', 'testing'],
  ])('%s', async (_, fixture, ...args) => {
    await withHost(fixture, args, async (remote) => {
      expect((await send(remote, BIG)).text).toBe(HANDLED)
    })
  })
})

describeUnless(missing)('The testing module of Nest 10 on Express', { timeout: TIMEOUT_MS }, () => {
  it('receives an order with `rawBody: true`', async () => {
    await withHost('nest10', ['Express', 'testing', 'rawBody'], async (remote) => {
      expect((await send(remote, ORDER)).text).toBe(HANDLED)
    })
  })

  it('answers 500 at once without it, and says how to fix it in `onError` only', async () => {
    await withHost('nest10', ['Express', 'testing'], async (remote) => {
      const answer = await send(remote, ORDER)
      expect([answer.status, answer.body]).toEqual([500, PARSED])
      const { hints } = await remote.observed()
      expect(hints).toEqual([expect.stringContaining('createNestApplication({ rawBody: true })')])
    })
  })
})

async function withHost(
  fixture: Fixture,
  args: readonly string[],
  act: (remote: RemoteReceiver) => Promise<void>,
): Promise<void> {
  const host = await startFramework(fixture, 'nest.ts', args)
  try {
    await act(await openRemote(host.url))
  } finally {
    await host.close()
  }
}
