/**
 * A process with its own inbox: `child.ts <role> <file> [prefix of ids] [count] [milliseconds of a lease]`. It reports
 * to its parent what happens.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessDelivery } from '../../../src/core/inbox/inbox.ts'
import { createSqliteInbox } from '../../../src/inboxes/sqlite.ts'

const [role = '', file = '', prefix = 'child', count = '1', leaseMs = '500'] = process.argv.slice(2)
const inbox = createSqliteInbox({ file, leaseMs: Number(leaseMs) })
const report = (message: string) => process.send?.(message)
const options = {
  concurrency: 4,
  concurrencyByTopic: {},
  attempts: 5,
  delayMs: (attempt: number) => 10 * 2 ** attempt,
  onError: (error: unknown) => report(`error ${error}`),
}

async function put(): Promise<void> {
  for (let at = 0; at < Number(count); at += 1) {
    const id = `${prefix}-${at}`
    const body = new Uint8Array(20_000).fill(at)
    const result = await inbox.put({ id, topic: 'orders.place', body, receivedAt: new Date(), group: undefined })
    if (role === 'put-and-die') process.kill(process.pid, 'SIGKILL')
    report(`${result} ${id}`)
  }
  report('done')
}

const work: ProcessDelivery = async ({ id }, { number }) => {
  report(`${number} ${id}`)
  if (role === 'hang') await new Promise(() => {})
  if (role === 'deadly') {
    await sleep(id === 'deadly' ? 20 : 200)
    if (id === 'deadly') process.exit(1)
    report(`handled ${id}`)
  }
  if (role === 'crash') await sleep(1000)
}

report('open')
if (role === 'crash') setTimeout(() => process.exit(1), 300)
if (role.startsWith('put')) await put()
else if (role === 'work-once') {
  const consumer = inbox.consume(work, options)
  await inbox.put({
    id: prefix,
    topic: 'orders.place',
    body: new Uint8Array(1),
    receivedAt: new Date(),
    group: undefined,
  })
  while ((await inbox.statistics()).oldest) await new Promise((resolve) => setTimeout(resolve, 10))
  await consumer.stop()
  await inbox.close()
  process.disconnect()
} else inbox.consume(work, options)
