import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { findBinary } from '../contracts/adapter/runtime.ts'

export interface Child {
  readonly process: ChildProcess
  /** Its output so far, on both streams. */
  output(): string
  /** Its standard output so far, without its log. */
  printed(): string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

export interface ScriptOptions {
  readonly port?: number
  readonly args?: readonly string[]
  /** Environment variables besides its port and its secret. */
  readonly env?: Readonly<Record<string, string>>
}

/** Not `TEST_SECRET`, which is refused in production: `next start` is that. */
export const EXAMPLE_SECRET = '4f6a0c8e2b7d19535e8fa1c3d07b6294'

/** Starts one of the scripts of an example's package.json, as npm would, in a process that can be sent signals. */
export function startScript(folder: string, script: string, { port, args = [], env }: ScriptOptions = {}): Child {
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const [program, ...words]: string[] = scripts[script].split(' ')
  const [command = '', ...given] = [...commandOf(program, folder), ...words]
  const { PATH, HOME } = process.env
  const atRunTime = { CL_SECRET_ORDERS__PLACE: EXAMPLE_SECRET, PORT: String(port), ...env }
  const child = spawn(command, [...given, ...args], {
    cwd: folder,
    env: { PATH, HOME, NEXT_TELEMETRY_DISABLED: '1', ...(script === 'build' ? {} : atRunTime) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    printed += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  return {
    process: child,
    output: () => output,
    printed: () => printed,
    ended: once(child, 'close').then(([code, signal]) => code ?? signal),
  }
}

/** What npm would start for the first word of a script, without the shell in between. */
function commandOf(program: string | undefined, folder: string): string[] {
  const bin = BINARIES[program ?? '']
  if (program === 'bun') return [findBinary('bun', 'bun/bin/bun.exe', '@oven', 'bin/bun')]
  return [process.execPath, ...(bin ? [join(folder, '../node_modules', bin)] : [])]
}

const BINARIES: Readonly<Record<string, string>> = {
  next: 'next/dist/bin/next',
  nitro: 'nitro/dist/cli/index.mjs',
}

/** Runs a script to its end and returns its standard output, trimmed; the error has its log, too. */
export async function runScript(...parameters: Parameters<typeof startScript>): Promise<string> {
  const child = startScript(...parameters)
  const code = await child.ended
  if (code !== 0) throw new Error(`${parameters.slice(0, 2).join(': ')} ended with ${code}:\n${child.output()}`)
  return child.printed().trim()
}

/** Starts a server on a free port and waits until it listens; the error has its output. */
export async function startServer(
  folder: string,
  { env = {}, port: given }: Pick<ScriptOptions, 'env' | 'port'> = {},
): Promise<Child & { readonly port: number }> {
  const port = given ?? (await freePort())
  const child = startScript(folder, 'start', { port, env })
  let isRunning = true
  child.ended.then(() => {
    isRunning = false
  })
  for (let tries = 0; tries < 300; tries++) {
    if (!isRunning) break
    if (await isListening(port)) return { ...child, port }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  child.process.kill('SIGKILL')
  throw new Error(`${folder} does not listen:\n${child.output()}`)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return address.port
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, 'localhost')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
