import { parentPort, workerData } from 'node:worker_threads'
import { type Batch, unpackBatch } from './batch.ts'
import { openWriter, type Writer, type WriterOptions } from './writer.ts'

/** What the thread is told. */
export type ToThread = Batch | 'close'

/** What it answers to each: whether that was done, or what failed. */
export interface FromThread {
  readonly error?: string | undefined
  /** Of the batch, to be used again. */
  readonly bodies?: ArrayBuffer | undefined
}

let writer: Writer | undefined

/** A file that cannot be used now may be used later: a disk was full. */
async function handle(message: ToThread): Promise<void> {
  if (message === 'close') {
    await writer?.close()
    return
  }
  writer ??= openWriter(workerData as WriterOptions)
  await writer.write(unpackBatch(message), message.missed)
}

parentPort?.on('message', async (message: ToThread) => {
  let error: string | undefined
  try {
    await handle(message)
  } catch (thrown) {
    const { message: text, cause } = Object(thrown) as Partial<Error>
    error = [text, (cause as Partial<Error> | undefined)?.message].filter(Boolean).join(' ')
  }
  const bodies = message === 'close' ? undefined : message.bodies
  parentPort?.postMessage({ error, bodies } satisfies FromThread, bodies ? [bodies] : [])
  if (message === 'close') parentPort?.close()
})
