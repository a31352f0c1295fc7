import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Receiver, Worker } from '../../src/index.ts'
import { built } from './built.ts'
import { answerWith, readTask } from './children.ts'
import { readOrder } from './read-order.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'

export interface DeferredTask {
  /**
   * Handles what it receives; handles each event once; stores what it receives; or handles what another process has
   * stored.
   */
  readonly role: 'inline' | 'once' | 'storing' | 'worker'
  /** The file of the inbox; the store's file is beside it. */
  readonly file: string
  /** How long a handler waits, besides its own work. */
  readonly handlerMs: number
}

/**
 * `listen` asks a receiver for its port. `work` and `stop` start and stop a worker; `{ handled }` waits until it has
 * handled so many and asks how many it has handled since `work`. `cpu` asks for the CPU time used, in microseconds.
 */
export type DeferredQuestion = 'listen' | 'work' | { readonly handled: number } | 'stop' | 'cpu'
/** The port, the number of deliveries, or microseconds. */
export type DeferredAnswer = number

const { role, file, handlerMs } = readTask<DeferredTask>()
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
