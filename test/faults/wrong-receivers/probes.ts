import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDelivery } from 'hooklayer/testing'
import { decodeBody, FORGER_SECRET, ORDER, orderDelivery, replaceBody, reserialize } from './deliveries.ts'
import { findLeak } from './leak.ts'
import { isSuccess, type Process, type Stage, waitUntil } from './stage.ts'
import { EFFECTS, type World } from './world.ts'

/** Tests a receiver for one mistake. Resolves with a description of the mistake, or `undefined` if there is none. */
type Probe = (stage: Stage) => Promise<string | undefined>

/** The longest time for an answer that does not wait for an effect. */
const AT_ONCE_MS = 800
const SETTLED_MS = 50

/** Tests that any receiver can be put through over HTTP. */
export const PROBES = {
  'killed after its 2xx': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const first = await start()
    world.setBehavior('mail', 'slow')
    const delivering = first.deliver(delivery).then(() => true)
    await reached(() => world.countRequests('mail', ORDER) > 0)
    const isEarly = await Promise.race([delivering, sleep(AT_ONCE_MS, false)])
    if (isEarly) await first.kill()
    world.reset('mail')
    await delivering
    await first.kill()
    return findWrong(world, await start(), world.countDistinctRuns)
  },

  'killed after an effect': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const first = await start()
    world.setBehavior('mail', 'deadly')
    await first.deliver(delivery)
    await reached(first.hasEnded)
    world.reset('mail')
    return deliverAndFindWrong(delivery, world, await start(), world.countDistinctRuns)
  },

  'two at once': async ({ start, world }) => {
    const only = await start()
    return atOnce(world, [only, only])
  },

  'two at once, in two processes': async ({ start, world }) => atOnce(world, await Promise.all([start(), start()])),

  'again and again': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const only = await start()
    for (let time = 0; time < 3; time += 1) await only.deliver(delivery)
    return (await findWrong(world, only)) ?? deliverAndFindWrong(await reserialize(delivery), world, only)
  },

  'failed half-way': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const only = await start()
    await fail(delivery, world, only)
    return deliverAndFindWrong(delivery, world, only)
  },

  overtaken: async ({ start, world }) => {
    const only = await start()
    const newer = { topic: 'orders.approve', updatedAt: '2026-11-20T10:00:02.000Z' } as const
    const wrong = await deliverAndFindWrong(await orderDelivery(newer), world, only)
    if (wrong) return wrong
    return (
      (await deliverAndFindWrong(await orderDelivery(), world, only)) &&
      'an older version took effect after a newer one'
    )
  },

  'forged bodies': async ({ start, world }) => {
    const only = await start()
    for (const [what, text] of Object.entries(FORGED)) {
      const status = await only.send(await replaceBody(await orderDelivery(), text, FORGER_SECRET))
      if (status !== 401) return `it answered ${status} to a forgery with ${what}`
    }
    await settle(world, only)
    return world.countRequests('mail', ORDER) > 0 ? 'a forgery took effect' : undefined
  },

  'the log': async ({ start, world }) => {
    const good = await orderDelivery()
    const only = await start()
    const sent = await dubious(good)
    for (const delivery of sent) await only.send(delivery)
    await fail(good, world, only)
    await only.deliver(good)
    await settle(world, only)
    await only.kill()
    const leak = findLeak(only.output(), [good, ...sent])
    return leak && `the log holds ${leak}`
  },
} satisfies Record<string, Probe>

export type ProbeName = keyof typeof PROBES

/** Bodies that harm a parser. */
const FORGED = {
  'broken JSON': `{"data":{"id":"${ORDER}","type":"orders","attributes":{"number":`,
  'a body nested 100,000 levels deep': `${'{"data":['.repeat(50_000)}${']}'.repeat(50_000)}`,
  'a `__proto__`': `{"__proto__":{"id":"${ORDER}"},"data":{"__proto__":{"type":"orders"},"id":"${ORDER}","type":"orders","attributes":{}}}`,
}

/** Sends two deliveries of one event at once, and retries what was not acknowledged. */
async function atOnce(world: World, processes: readonly [Process, Process]): Promise<string | undefined> {
  const [first] = processes
  const delivery = await orderDelivery()
  world.setBehavior('mail', 'slow')
  let answers = 0
  const sending = processes.map(async (one) => {
    const status = await one.send(delivery)
    answers += 1
    return status
  })
  await reached(() => answers + world.countRequests('mail', ORDER) >= processes.length)
  world.reset('mail')
  const statuses = await Promise.all(sending)
  await Promise.all(processes.map((one, at) => isSuccess(statuses[at]) || one.deliver(delivery)))
  return findWrong(world, first)
}

/** Sends a delivery that applies the mail and fails at the ERP. */
async function fail(delivery: TestDelivery, world: World, running: Process): Promise<void> {
  world.setBehavior('erp', 'down')
  await reached(async () => {
    await running.send(delivery)
    return world.countRuns('mail', ORDER) > 0 && world.countRequests('erp', ORDER) > 0
  }, 50)
  world.reset('erp')
}

/** Checks that each effect of the order was applied once. */
async function findWrong(world: World, running: Process, count = world.countRuns): Promise<string | undefined> {
  for (const effect of EFFECTS) {
    if (!(await waitUntil(() => world.countRuns(effect, ORDER) > 0))) return `the ${effect} was lost`
  }
  await settle(world, running)
  const repeated = EFFECTS.find((effect) => count(effect, ORDER) > 1)
  return repeated && `the ${repeated} was repeated`
}

async function deliverAndFindWrong(
  delivery: TestDelivery,
  world: World,
  running: Process,
  count = world.countRuns,
): Promise<string | undefined> {
  await running.deliver(delivery)
  return findWrong(world, running, count)
}

/** Waits for a later delivery to take effect. Earlier deliveries have taken effect by then, if they ever do. */
async function settle(world: World, running: Process): Promise<void> {
  const id = randomUUID()
  await running.deliver(await orderDelivery({ id }))
  await reached(() => world.countRuns('erp', id) > 0)
  await sleep(SETTLED_MS)
}

/** Waits for a state that every receiver reaches. Otherwise the probe would have tested nothing. */
async function reached(...check: Parameters<typeof waitUntil>): Promise<void> {
  if (!(await waitUntil(...check))) throw new Error('The receiver did not reach the state that the probe needs.')
}

/** Deliveries that must be refused: forged, unsigned, truncated, and signed without being a document. */
async function dubious(good: TestDelivery): Promise<TestDelivery[]> {
  const text = decodeBody(good)
  const cut = text.slice(0, text.lastIndexOf('@') + 4)
  const { 'X-CommerceLayer-Signature': _, ...unsigned } = good.headers
  return [
    await replaceBody(good, text, FORGER_SECRET),
    { ...good, headers: unsigned },
    await replaceBody(good, cut),
    await replaceBody(good, cut, FORGER_SECRET),
    await replaceBody(good, text.replace('"id":', '"no id":')),
  ]
}
