import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'

const MEGABYTE = 2 ** 20

/** In a V8 of its own: how it keeps objects depends on what ran in it before. */
async function measureKept(kind: string): Promise<number> {
  const { href } = new URL('./young-garbage-program.ts', import.meta.url)
  const program = `import('tsx/esm/api').then(({ tsImport }) => tsImport('${href}', '${href}'))`
  const worker = new Worker(program, { eval: true, workerData: kind })
  const [kept] = await once(worker, 'message')
  await worker.terminate()
  return kept
}

it.each(['logged', 'observed', 'wrapped'])(
  'leaves no document that was %s to a full collection of V8',
  async (kind) => {
    // Each of 300 documents is about 90 KB of objects and text.
    expect((await measureKept(kind)) / MEGABYTE).toBeLessThan(5)
  },
)
