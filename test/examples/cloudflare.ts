import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fixtureFolder } from '../fixtures/install.ts'
import { createMiniflare, type Miniflare, type MiniflareOptions } from '../fixtures/miniflare.ts'

export interface Worker extends Pick<Miniflare, 'dispose' | 'getR2Bucket'> {
  readonly port: number
  /** Its log so far. */
  output(): string
}

/** Runs an example in workerd, bundled by wrangler as a deployment does it, with the Workers that it uses. */
export async function startWorker(
  folder: string,
  options: MiniflareOptions,
  others: readonly MiniflareOptions[] = [],
): Promise<Worker> {
  await bundle(folder)
  const script = readFileSync(join(folder, OUT, 'worker.js'), 'utf8')
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

const OUT = 'built'

async function bundle(folder: string): Promise<void> {
  const wrangler = join(fixtureFolder('workerd'), 'node_modules/wrangler/bin/wrangler.js')
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG_PATH: join(folder, OUT) }
  await promisify(execFile)(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', OUT], { cwd: folder, env })
}
