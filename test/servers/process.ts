import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** A server in a process of its own. */
export interface ServerProcess {
  /** Asks the process to end, and after five seconds does not ask any more; resolves when it has ended. */
  end(): Promise<void>
}

/**
 * Starts a program in a folder of its own, which is removed when it ends, and waits until it prints `sign`. What it said is
 * told if it ends before.
 */
export async function startProcess(
  command: string,
  args: readonly string[],
  sign: RegExp,
  options: Pick<SpawnOptions, 'uid' | 'gid'> & { readonly cwd: string },
): Promise<ServerProcess> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const remove = () => rmSync(options.cwd, { recursive: true, force: true, maxRetries: 5 })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill).once('exit', remove)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: string) => {
      said += chunk
      if (sign.test(said)) resolve()
    }
    child.stdout?.setEncoding('utf8').on('data', listen)
    child.stderr?.setEncoding('utf8').on('data', listen)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}. It said:\n${said}`)))
  })
  return {
    async end() {
      process.off('exit', kill).off('exit', remove)
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        const timer = setTimeout(kill, 5000)
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
