import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Listening } from './host.ts'

interface ChildOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** What on its output says where it listens, in its first group if it has one; default: the first URL. */
  readonly sign?: RegExp
}

/** A host in a process of its own, which prints the URL that it listens on. What it says is told if it does not start. */
export async function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Listening> {
  const { cwd, env = process.env, sign = /https?:\/\/\S+/ } = options
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: string) => {
      said += chunk
      const found = sign.exec(said)
      if (found) resolve(found[1] ?? found[0])
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}. It said:\n${said}`)))
  })
  return {
    url,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
      await ended
      clearTimeout(timer)
    },
  }
}
