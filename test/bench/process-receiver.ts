import type { ReceiverOptions } from '../../src/index.ts'
import { built } from './built.ts'
import { answerWith, readTask } from './children.ts'
import { createBodies, signed } from './fresh-deliveries.ts'
import { sendAll } from './senders.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'
import { openStore, type StorePlace } from './store-engines.ts'
import { GENEROUS_TIMEOUT_MS } from './timeouts.ts'

/** Handles each event once before it answers, or stores it for a worker. */
export interface ProcessTask extends StorePlace {
  readonly does: 'inline' | 'deferred'
  readonly kilobytes: number
}

/** Prepares so many deliveries; `go` receives them. Each question is answered when that is done. */
export type ProcessQuestion = { readonly deliveries: number; readonly senders: number } | 'go'

const { does, kilobytes, ...place } = readTask<ProcessTask>()
const { createReceiver } = await built('index')
const secrets = { [TOPIC]: SECRET }
const receiver = createReceiver({ secrets, logger, deadlineMs: GENEROUS_TIMEOUT_MS, ...(await optionsFor()) }).on(
  TOPIC,
  () => {},
)
const expected = does === 'inline' ? 200 : 202
const nextBody = createBodies(kilobytes)
let ready: (() => Promise<void>)[] = []
let senders = 0

answerWith<ProcessQuestion>((question) => {
  if (question === 'go') return sendAll(ready, senders)
  senders = question.senders
  ready = Array.from({ length: question.deliveries }, makeReady)
})

function makeReady(): () => Promise<void> {
  const request = signed(nextBody())
  return async () => {
    const { status } = await receiver.receive(request)
    if (status !== expected) throw new Error(`A delivery was answered ${status}.`)
  }
}

async function optionsFor(): Promise<Pick<ReceiverOptions, 'idempotency' | 'inbox'>> {
  if (does === 'inline') return { idempotency: { store: (await openStore(place)).store } }
  if (place.engine === 'SQLite')
    return { inbox: (await built('inboxes/sqlite')).createSqliteInbox({ file: place.place }) }
  const { createBullmqInbox } = await built('inboxes/bullmq')
  const where = place.engine === 'Redis' ? { redis: place.place } : { postgres: place.place }
  return { inbox: createBullmqInbox({ ...where, putTimeoutMs: GENEROUS_TIMEOUT_MS }) }
}
