import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** How a server is started. */
export interface ServerProgram {
  readonly command: string
  readonly args: readonly string[]
  /** Its output when it is ready. */
  readonly sign: RegExp
  /** `cwd` is a folder of its own that holds its data. */
  readonly options: Pick<SpawnOptions, 'uid' | 'gid'> & { readonly cwd: string }
}

/** A server in a process of its own. */
export interface ServerProcess {
  /** Sends SIGTERM, and SIGKILL after five seconds. Resolves when the process has ended. */
  end(): Promise<void>
}

/**
 * Starts a program and waits until it is ready. Rejects with its output if it ends before. It is killed with this
 * process.
 */
export async function run({ command, args, sign, options }: ServerProgram): Promise<ChildProcess> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: string) => {
      output += chunk
      if (sign.test(output)) resolve()
    }
    child.stdout?.setEncoding('utf8').on('data', listen)
    child.stderr?.setEncoding('utf8').on('data', listen)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}. Its output:\n${output}`)))
  })
  return child
}

/** Starts a program. Its folder is removed when it ends. */
export async function startProcess(program: ServerProgram): Promise<ServerProcess> {
  const remove = () => rmSync(program.options.cwd, { recursive: true, force: true, maxRetries: 5 })
  const starting = run(program)
  process.once('exit', remove)
  const child = await starting
  return {
    async end() {
      process.off('exit', remove)
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
        await ended
        clearTimeout(timer)
      }
      remove()
    },
  }
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
