import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Listening } from './host.ts'

interface ChildOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Finds the URL in its output: the first group if there is one. Default: the first URL. */
  readonly urlPattern?: RegExp
}

/**
 * Starts a host in a process of its own, which prints the URL that it listens on. If it does not start, the error has
 * its output.
 */
export async function startChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Listening> {
  const { cwd, env = process.env, urlPattern = /https?:\/\/\S+/ } = options
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: string) => {
      output += chunk
      const found = urlPattern.exec(output)
      if (found) resolve(found[1] ?? found[0])
    }
    child.stdout.setEncoding('utf8').on('data', listen)
    child.stderr.setEncoding('utf8').on('data', listen)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}. Its output:\n${output}`)))
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
