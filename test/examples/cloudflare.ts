import { join } from 'node:path'
import { build } from 'esbuild'
import { createMiniflare, type Miniflare, type MiniflareOptions } from '../fixtures/miniflare.ts'

export interface Worker extends Pick<Miniflare, 'dispose' | 'getR2Bucket'> {
  readonly port: number
  /** Its log so far. */
  output(): string
}

/** Runs `src/worker.ts` of an example in workerd, bundled as wrangler does it, with the Workers that it uses. */
export async function startWorker(
  folder: string,
  options: MiniflareOptions,
  others: readonly MiniflareOptions[] = [],
): Promise<Worker> {
  const bundle = await build({
    entryPoints: [join(folder, 'src/worker.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    conditions: ['workerd', 'worker', 'browser'], // as wrangler has them
  })
  const script = bundle.outputFiles.map(({ text }) => text).join('')
  let output = ''
  const worker = createMiniflare({
    workers: [{ modules: true, script, compatibilityDate: '2026-04-01', ...options }, ...others],
    handleStructuredLogs: ({ message }: { message: string }) => {
      output += `${message}\n`
    },
  })
  return {
    port: Number((await worker.ready).port),
    output: () => output,
    dispose: () => worker.dispose(),
    getR2Bucket: (name) => worker.getR2Bucket(name),
  }
}
