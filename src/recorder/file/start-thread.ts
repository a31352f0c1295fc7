import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { packBatch } from './batch.ts'
import type { FromThread, ToThread } from './thread.ts'
import type { Writer, WriterOptions } from './writer.ts'

const FILE = 'recorder-thread'

/**
 * Starts the thread that writes; `undefined` where its file is not: in a bundle, or where sources run as they are.
 *
 * @param onExit is called once if the thread ends by itself.
 */
export function startThread(options: WriterOptions, onExit: () => void): Writer | undefined {
  const path = findFile()
  if (path === undefined) return undefined
  const thread = createThread(path, { workerData: options, execArgv: [], env: {} })
  let bodies: ArrayBuffer | undefined
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  let isClosing = false
  const end = () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('The thread of the recorder has ended.'))
    if (!isClosing) onExit()
  }
  thread.on('message', ({ error, bodies: returned }: FromThread) => {
    bodies = returned
    const { resolve, reject } = waiting.shift() ?? {}
    if (waiting.length === 0) thread.unref()
    if (error === undefined) resolve?.()
    else reject?.(new Error(error))
  })
  thread.on('error', () => {})
  thread.on('exit', end)
  thread.unref()

  function ask(message: ToThread, transfer: ArrayBuffer[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      thread.ref() // The process does not end before it was written.
      thread.postMessage(message, transfer)
    })
  }
  return {
    write(records, missed) {
      const batch = packBatch(records, missed, bodies)
      bodies = undefined
      return ask(batch, [batch.bodies])
    },
    async close() {
      isClosing = true
      await ask('close').catch(() => {})
      await thread.terminate()
    },
  }
}

/** A bundler (Turbopack) follows `new Worker(path)`, and would take in every file that lies beside this one. */
function createThread(path: string, options: WorkerOptions): Worker {
  return Reflect.construct(Worker, [path, options])
}

/** Beside the file that this is in, in the same format. */
function findFile(): string | undefined {
  try {
    const isCommonJs = typeof __filename === 'string'
    const self = isCommonJs ? __filename : fileURLToPath(import.meta.url)
    const path = join(dirname(self), `${FILE}.${isCommonJs ? 'cjs' : 'js'}`)
    return existsSync(path) ? path : undefined
  } catch {
    return undefined // A bundle may not know where it is.
  }
}
