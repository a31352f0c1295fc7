import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { onTestFinished } from 'vitest'
import { createProject } from '../cli/run-cli.ts'

/** A command that a page prints, as it runs in a shell. */
export interface Command {
  /** The output so far, of both streams. */
  readonly output: () => string
  /** Waits until the output contains the text, and gives the line of it. */
  lineWith(text: string): Promise<string>
  type(line: string): void
  /** Waits for the end, and gives the exit code. */
  ended(): Promise<number | null>
}

/** What `npm install hooklayer express tsx` makes of an empty folder. It is removed after the test. */
export async function createShopFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await createProject(files)
  mkdirSync(`${folder}/node_modules/.bin`)
  for (const name of ['express', 'tsx']) symlinkSync(resolve('node_modules', name), `${folder}/node_modules/${name}`)
  symlinkSync(resolve('node_modules/.bin/tsx'), `${folder}/node_modules/.bin/tsx`)
  symlinkSync('../hooklayer/dist/cli.js', `${folder}/node_modules/.bin/hooklayer`)
  return folder
}

/** Runs a command in a process group of its own, because `npx` starts others. It is ended after the test. */
export function runCommand(command: string, cwd: string, env: NodeJS.ProcessEnv = {}): Command {
  const { PATH, HOME } = process.env
  const child = spawn(command, { shell: true, detached: true, cwd, env: { PATH, HOME, ...env }, stdio: 'pipe' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      child.emit('output')
    })
  }
  const ended = once(child, 'close').then(([code]) => {
    child.emit('output')
    return code as number | null
  })
  onTestFinished(async () => {
    if (child.exitCode === null) process.kill(-Number(child.pid))
    await ended
  })
  return {
    output: () => output,
    async lineWith(text) {
      for (;;) {
        const line = output.split('\n').find((one) => one.includes(text))
        if (line !== undefined) return line
        if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}, without "${text}":\n${output}`)
        await once(child, 'output')
      }
    },
    type: (line) => void child.stdin.write(`${line}\n`),
    ended: () => ended,
  }
}
