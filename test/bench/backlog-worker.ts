import { setTimeout as sleep } from 'node:timers/promises'
import { built } from './built.ts'
import { answerWith, readTask } from './children.ts'
import { readOrder } from './read-order.ts'
import { SECRET, TOPIC } from './signed.ts'
import { silentLogger as logger } from './silent-logger.ts'

/** Opens an inbox that is full, and starts a worker for it: a file, or the URL of a server. */
export type BacklogTask = { readonly file: string } | { readonly redis: string } | { readonly postgres: string }

/** Asks to work for so many milliseconds. */
export type BacklogQuestion = { readonly ms: number }

/** Bytes that the process has more than before its worker was started, at the most, and how many it has handled. */
export interface BacklogAnswer {
  readonly grown: number
  readonly handled: number
}

const task = readTask<BacklogTask>()
const [{ createReceiver, createWorker }, inbox] = await Promise.all([built('index'), open()])
let handled = 0
const receiver = createReceiver({ secrets: { [TOPIC]: SECRET }, inbox, logger })
receiver.on(TOPIC, (event, context) => {
  readOrder(event, context)
  handled += 1
})

async function open() {
  if ('file' in task) return (await built('inboxes/sqlite')).createSqliteInbox(task)
  return (await built('inboxes/bullmq')).createBullmqInbox(task)
}

answerWith<BacklogQuestion>(async ({ ms }): Promise<BacklogAnswer> => {
  await inbox.statistics()
  globalThis.gc?.()
  const idle = process.memoryUsage().rss
  let peak = idle
  const worker = createWorker({ receiver, inbox, logger })
  for (const end = performance.now() + ms; performance.now() < end; await sleep(20)) {
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  await worker.stop()
  return { grown: peak - idle, handled }
})
