import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestDelivery } from 'hooklayer/testing'
import { FORGER_SECRET, ORDER, orderDelivery, respelled, textOf, withBody } from './deliveries.ts'
import { leakIn } from './leak.ts'
import { isSuccess, type Process, type Stage, until } from './stage.ts'
import { EFFECTS, type World } from './world.ts'

/** A question to a receiver; resolves with what is wrong with its answer, and with nothing if it is right. */
type Probe = (stage: Stage) => Promise<string | undefined>

/** How long an answer may take that waits for nothing. */
const AT_ONCE_MS = 800
const SETTLED_MS = 50

/** What can be asked of any receiver over HTTP, without knowing how it works. */
export const PROBES = {
  'killed after its 2xx': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const first = await start()
    world.make('mail', 'slow')
    const delivering = first.deliver(delivery).then(() => true)
    await reached(() => world.asked('mail', ORDER) > 0)
    const isEarly = await Promise.race([delivering, sleep(AT_ONCE_MS, false)])
    if (isEarly) await first.kill()
    world.mend('mail')
    await delivering
    await first.kill()
    return wrongIn(world, await start(), world.took)
  },

  'killed after an effect': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const first = await start()
    world.make('mail', 'deadly')
    await first.deliver(delivery)
    await reached(first.hasEnded)
    world.mend('mail')
    return wrongAfter(delivery, world, await start(), world.took)
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
    return (await wrongIn(world, only)) ?? wrongAfter(await respelled(delivery), world, only)
  },

  'failed half-way': async ({ start, world }) => {
    const delivery = await orderDelivery()
    const only = await start()
    await fail(delivery, world, only)
    return wrongAfter(delivery, world, only)
  },

  overtaken: async ({ start, world }) => {
    const only = await start()
    const newer = { topic: 'orders.approve', updatedAt: '2026-11-20T10:00:02.000Z' } as const
    const wrong = await wrongAfter(await orderDelivery(newer), world, only)
    if (wrong) return wrong
    return (await wrongAfter(await orderDelivery(), world, only)) && 'an older version took effect after a newer one'
  },

  'forged bodies': async ({ start, world }) => {
    const only = await start()
    for (const [what, text] of Object.entries(FORGED)) {
      const status = await only.send(await withBody(await orderDelivery(), text, FORGER_SECRET))
      if (status !== 401) return `it answered ${status} to a forgery with ${what}`
    }
    await settle(world, only)
    return world.asked('mail', ORDER) > 0 ? 'a forgery took effect' : undefined
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
    const leak = leakIn(only.output(), [good, ...sent])
    return leak && `the log holds ${leak}`
  },
} satisfies Record<string, Probe>

export type ProbeName = keyof typeof PROBES

/** What a parser chokes on or falls for, if it sees it at all. */
const FORGED = {
  'broken JSON': `{"data":{"id":"${ORDER}","type":"orders","attributes":{"number":`,
  'a body nested 100,000 levels deep': `${'{"data":['.repeat(50_000)}${']}'.repeat(50_000)}`,
  'a `__proto__`': `{"__proto__":{"id":"${ORDER}"},"data":{"__proto__":{"type":"orders"},"id":"${ORDER}","type":"orders","attributes":{}}}`,
}

/** Two deliveries of one event, neither of which waits for the other; the sender repeats what was not acknowledged. */
async function atOnce(world: World, processes: readonly [Process, Process]): Promise<string | undefined> {
  const [first] = processes
  const delivery = await orderDelivery()
  world.make('mail', 'slow')
  let answers = 0
  const sending = processes.map(async (one) => {
    const status = await one.send(delivery)
    answers += 1
    return status
  })
  await reached(() => answers + world.asked('mail', ORDER) >= processes.length)
  world.mend('mail')
  const statuses = await Promise.all(sending)
  await Promise.all(processes.map((one, at) => isSuccess(statuses[at]) || one.deliver(delivery)))
  return wrongIn(world, first)
}

/** A delivery after which the mail has been sent and the ERP has not been told. */
async function fail(delivery: TestDelivery, world: World, running: Process): Promise<void> {
  world.make('erp', 'down')
  await reached(async () => {
    await running.send(delivery)
    return world.runs('mail', ORDER) > 0 && world.asked('erp', ORDER) > 0
  }, 50)
  world.mend('erp')
}

/** What is wrong in the end with the effects of the order, each of which is to be had once. */
async function wrongIn(world: World, running: Process, count = world.runs): Promise<string | undefined> {
  for (const effect of EFFECTS) {
    if (!(await until(() => world.runs(effect, ORDER) > 0))) return `the ${effect} was lost`
  }
  await settle(world, running)
  const repeated = EFFECTS.find((effect) => count(effect, ORDER) > 1)
  return repeated && `the ${repeated} was repeated`
}

async function wrongAfter(
  delivery: TestDelivery,
  world: World,
  running: Process,
  count = world.runs,
): Promise<string | undefined> {
  await running.deliver(delivery)
  return wrongIn(world, running, count)
}

/** What comes later has taken effect, and so has what was sent before it, if it ever does. */
async function settle(world: World, running: Process): Promise<void> {
  const id = randomUUID()
  await running.deliver(await orderDelivery({ id }))
  await reached(() => world.runs('erp', id) > 0)
  await sleep(SETTLED_MS)
}

/** Waits for what every receiver comes to, right or wrong: without it the probe has asked nothing. */
async function reached(...check: Parameters<typeof until>): Promise<void> {
  if (!(await until(...check))) throw new Error('The receiver did not get as far as the question.')
}

/** What a receiver has to refuse: a forger's, unsigned, cut off, and signed without being a document. */
async function dubious(good: TestDelivery): Promise<TestDelivery[]> {
  const text = textOf(good)
  const cut = text.slice(0, text.lastIndexOf('@') + 4)
  const { 'X-CommerceLayer-Signature': _, ...unsigned } = good.headers
  return [
    await withBody(good, text, FORGER_SECRET),
    { ...good, headers: unsigned },
    await withBody(good, cut),
    await withBody(good, cut, FORGER_SECRET),
    await withBody(good, text.replace('"id":', '"no id":')),
  ]
}
