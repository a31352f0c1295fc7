import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { TestDelivery } from 'hooklayer/testing'
import { SHOP_SECRET } from './deliveries.ts'
import { createWorld, type World } from './world.ts'

/** How long to wait for a state. */
const TIMEOUT_MS = 10_000

/** A receiver to test: a program of `receivers/` and its arguments. */
export interface Receiver {
  readonly program: string
  /** @param namespace is the stage's own: letters, digits and `_`. */
  readonly args?: (namespace: string) => readonly string[]
}

/** A process of the receiver. */
export interface Process {
  readonly url: URL
  /** The status, or `undefined` if there was no answer. */
  send(delivery: TestDelivery): Promise<number | undefined>
  /** Retries, as Commerce Layer does, until it is acknowledged or the process has ended. */
  deliver(delivery: TestDelivery): Promise<void>
  kill(): Promise<void>
  hasEnded(): boolean
  /** Its console output. */
  output(): string
}

/** The processes and the world of one probe. */
export interface Stage {
  readonly world: World
  /** Starts one more process of the receiver. */
  start(): Promise<Process>
  close(): Promise<void>
}

const RECEIVERS = new URL('./receivers/', import.meta.url)
const BUILT = fileURLToPath(new URL('../.built/wrong-receivers/', import.meta.url))

/** Bundles the receivers as plain JavaScript, because each is started a dozen times. */
export async function buildReceivers(programs: readonly string[]): Promise<void> {
  await build({
    entryPoints: [...new Set(programs)].map((program) => fileURLToPath(new URL(`${program}.ts`, RECEIVERS))),
    outdir: BUILT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    external: ['libsql', 'bullmq', 'ioredis', 'pg'],
    banner: {
      js: "import { createRequire as forPackages } from 'node:module'; const require = forPackages(import.meta.url)",
    },
    platform: 'node',
    format: 'esm',
    target: 'node20',
  })
}

export function createStage({ program, args = () => [] }: Receiver, prefix: string): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-wrong-'))
  const namespace = `${prefix}${basename(folder).replace(/\W/g, '_')}`
  const processes: Process[] = []
  return {
    world: createWorld(folder),
    async start() {
      const started = await startProcess(join(BUILT, `${program}.mjs`), args(namespace), folder)
      processes.push(started)
      return started
    },
    async close() {
      await Promise.all(processes.map((one) => one.kill()))
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function startProcess(file: string, args: readonly string[], folder: string): Promise<Process> {
  const child = fork(file, args, {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', SECRET: SHOP_SECRET, WORLD: folder },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const output = captureOutput(child)
  const closed = once(child, 'close')
  const [port] = await Promise.race([once(child, 'message'), closed.then(() => [])])
  if (port === undefined) throw new Error(`${basename(file)} does not start. Its output:\n${output()}`)
  const url = new URL(`http://127.0.0.1:${port}/`)
  const send: Process['send'] = ({ method, headers, body }) =>
    fetch(url, { method, headers, body }).then(
      (response) => {
        response.text().catch(() => {})
        return response.status
      },
      () => undefined,
    )
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    url,
    send,
    hasEnded,
    async deliver(delivery) {
      const isOver = await waitUntil(async () => isSuccess(await send(delivery)) || hasEnded(), 50)
      if (!isOver) throw new Error(`${basename(file)} does not acknowledge a delivery. Its output:\n${output()}`)
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
    output,
  }
}

function captureOutput({ stdout, stderr }: ChildProcess): () => string {
  let output = ''
  for (const stream of [stdout, stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return () => output
}

export function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300
}

/** Waits until the check passes; false if it does not in time. */
export async function waitUntil(check: () => boolean | Promise<boolean>, everyMs = 5): Promise<boolean> {
  const end = Date.now() + TIMEOUT_MS
  while (Date.now() < end) {
    if (await check()) return true
    await sleep(everyMs)
  }
  return false
}
