import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { built } from './built.ts'
import { answerWith, taskOf } from './children.ts'
import { createBodies, type SignedRequest, signed } from './fresh-deliveries.ts'
import { sendAll } from './senders.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silent as logger } from './silent.ts'

/** It handles each event once with a memory store; or it stores them in a file, and works them off besides. */
export interface MemoryTask {
  readonly keeps: 'store' | 'inbox'
  readonly file: string
  readonly kilobytes: number
}

/** To receive so many more. */
export type MemoryQuestion = { readonly deliveries: number }

/** Bytes, when all are handled and what can be collected was. */
export interface MemoryAnswer {
  readonly heap: number
  readonly rss: number
}

const SENDERS = 32
/** So that what waits to be sent is not what is measured. */
const BATCH = 500

const { keeps, file, kilobytes } = taskOf<MemoryTask>()
const { createReceiver, createWorker } = await built('index')
const secrets = { [TOPIC]: SECRET }
const inbox = keeps === 'inbox' ? (await built('inboxes/sqlite')).createSqliteInbox({ file }) : undefined
const keeping = inbox ? { inbox } : { idempotency: { store: (await built('stores/memory')).createMemoryStore() } }
let handled = 0
const receiver = createReceiver({ secrets, logger, ...keeping }).on(TOPIC, () => {
  handled += 1
})
if (inbox) createWorker({ receiver, inbox, logger })
const nextBody = createBodies(kilobytes)
let received = 0

answerWith<MemoryQuestion>(async ({ deliveries }): Promise<MemoryAnswer> => {
  for (const end = received + deliveries; received < end; received += BATCH) {
    const requests = Array.from({ length: BATCH }, () => signed(nextBody()))
    const work = requests.map((request) => () => receive(request))
    await sendAll(work, SENDERS)
    // A server comes by the event loop with each request, and its timers have their turn.
    await setImmediate()
  }
  while (handled < received) await sleep(10)
  await sleep(100)
  // Twice: what has a finaliser goes with the second.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, rss }
})

async function receive(request: SignedRequest): Promise<void> {
  const { status } = await receiver.receive(request)
  if (status !== (inbox ? 202 : 200)) throw new Error(`A delivery was answered ${status}.`)
}
