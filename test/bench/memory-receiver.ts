import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { built } from './built.ts'
import { answerWith, readTask } from './children.ts'
import { createBodies, type SignedRequest, signed } from './fresh-deliveries.ts'
import { sendAll } from './senders.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'

/** Handles each event once with a memory store; or stores deliveries in a file, and runs a worker for them. */
export interface MemoryTask {
  readonly keeps: 'store' | 'inbox'
  readonly file: string
  readonly kilobytes: number
}

/** Asks to receive so many more deliveries. */
export type MemoryQuestion = { readonly deliveries: number }

/** Bytes, after all deliveries are handled and garbage is collected. */
export interface MemoryAnswer {
  readonly heap: number
  readonly rss: number
}

const SENDERS = 32
/** Deliveries are made in batches, so that those that wait to be sent do not count. */
const BATCH = 500

const { keeps, file, kilobytes } = readTask<MemoryTask>()
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
    // In a server each request comes from the event loop, and timers run in between.
    await setImmediate()
  }
  while (handled < received) await sleep(10)
  await sleep(100)
  // Twice: objects with a finalizer go with the second collection.
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, rss }
})

async function receive(request: SignedRequest): Promise<void> {
  const { status } = await receiver.receive(request)
  if (status !== (inbox ? 202 : 200)) throw new Error(`A delivery was answered ${status}.`)
}
