import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Receiver, Worker } from '../../src/index.ts'
import { built } from './built.ts'
import { answerWith, taskOf } from './children.ts'
import { readOrder } from './read-order.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silent as logger } from './silent.ts'

export interface DeferredTask {
  /** It handles what it receives; or does so once for each event; or stores it; or handles what another has stored. */
  readonly role: 'inline' | 'once' | 'storing' | 'worker'
  /** Where the inbox is; the store is beside it. */
  readonly file: string
  /** What a handler waits for besides its own work. */
  readonly handlerMs: number
}

/**
 * Of a receiver, where it listens; of a worker, to work, how many it has handled since, once it is so many, and to stop; of each, how
 * many microseconds it has kept a processor busy.
 */
export type DeferredQuestion = 'listen' | 'work' | { readonly handled: number } | 'stop' | 'cpu'
/** The port, or how many. */
export type DeferredAnswer = number

const { role, file, handlerMs } = taskOf<DeferredTask>()
const [{ createReceiver, createWorker }, { createNodeListener }, { createSqliteInbox }, { createSqliteStore }] =
  await Promise.all([built('index'), built('node'), built('inboxes/sqlite'), built('stores/sqlite')])
const secrets = { [TOPIC]: SECRET }
const inbox = createSqliteInbox({ file })
const store = role === 'once' && { idempotency: { store: createSqliteStore({ file: `${file}.store` }) } }
const handling = createReceiver({ secrets, logger, ...store }).on(TOPIC, async (event, context) => {
  await readOrder(event, context)
  await sleep(handlerMs)
  handled += 1
})
let handled = 0
let worker: Worker | undefined

answerWith<DeferredQuestion>(async (question): Promise<DeferredAnswer> => {
  if (question === 'cpu') return cpuMicroseconds()
  if (question === 'listen') return listen(role === 'storing' ? createReceiver({ secrets, logger, inbox }) : handling)
  if (question === 'stop') await worker?.stop()
  else if (question === 'work') {
    handled = 0
    worker = createWorker({ receiver: handling, inbox, logger })
  } else while (handled < question.handled) await sleep(1)
  return handled
})

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

async function listen(receiver: Receiver): Promise<number> {
  const server = createServer(createNodeListener(receiver)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
