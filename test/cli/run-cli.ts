import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { buildPackage } from './build.ts'

interface RunOptions {
  /** Variables beside `PATH` and `HOME`. Nothing else of this process' environment is passed on. */
  readonly env?: Readonly<Record<string, string>>
  /** What the program reads on stdin, which is closed then. Default: nothing. */
  readonly stdin?: string | Uint8Array
  /** Files of the folder in which it runs, by path. Default: an empty folder. */
  readonly files?: Readonly<Record<string, string>>
  /** A folder to run in, of {@link createProject}. `files` are written into it. */
  readonly cwd?: string
}

interface Result {
  /** The exit code, or the name of the signal that ended it. */
  readonly exit: number | string
  readonly stdout: string
  readonly stderr: string
  /** The objects on stdout, of `--json`. */
  readonly objects: () => unknown[]
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly cwd: string
  /** The output so far, of both streams. */
  readonly output: () => string
  /** Waits until the output contains the text, and gives the line of it. */
  lineWith(text: string): Promise<string>
  /** Waits for the end. */
  result(): Promise<Result>
}

/** An empty folder outside of the repository, in which `hooklayer` is installed. It is removed after the test. */
export async function createProject(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const built = await buildPackage()
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(built, join(folder, 'node_modules/hooklayer'))
  writeFiles(folder, files)
  return folder
}

/** Starts `node dist/cli.js …`. It is killed after the test if it still runs. */
export async function startCli(args: readonly string[], options: RunOptions = {}): Promise<Running> {
  const built = await buildPackage()
  const cwd = await prepareFolder(options)
  const child = spawn(process.execPath, [join(built, 'dist/cli.js'), ...args], { cwd, env: createEnv(options) })
  return follow(child, cwd, options)
}

/** Runs `node dist/cli.js …` to its end. Its streams are pipes, so it has no terminal. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const running = await startCli(args, { stdin: '', ...options })
  return running.result()
}

/**
 * Starts the program in a pseudo-terminal of 100 columns. What it draws is in the output, and what a person types goes
 * to `child.stdin`: Enter is `\r`, Ctrl-C is `\x03`. stdout and stderr are one there.
 */
export async function startInTerminal(args: readonly string[], options: RunOptions = {}): Promise<Running> {
  const built = await buildPackage()
  const cwd = await prepareFolder(options)
  const words = [process.execPath, join(built, 'dist/cli.js'), ...args].map(
    (word) => `'${word.replaceAll("'", "'\\''")}'`,
  )
  const line = `stty cols 100 rows 40; exec ${words.join(' ')}`
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd,
    env: { TERM: 'xterm-256color', ...createEnv(options) },
  })
  return follow(child, cwd, options)
}

/** Runs the program in a pseudo-terminal to its end. */
export async function runInTerminal(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const running = await startInTerminal(args, options)
  return running.result()
}

/** Replaces what differs from run to run: times, ports, sizes of the machine. */
export function maskOutput(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/(127\.0\.0\.1|localhost):\d+/g, '$1:PORT')
    .replace(/ *\b\d+(\.\d+)? ?(ms|s)\b/g, ' TIME')
}

function follow(child: ChildProcessWithoutNullStreams, cwd: string, { stdin }: RunOptions): Running {
  let [output, stdout, stderr] = ['', '', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk
    output += chunk
    child.emit('output')
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
    output += chunk
    child.emit('output')
  })
  let exit: number | string | undefined
  child.on('close', (code, signal) => {
    exit = code ?? signal ?? 'unknown'
    child.emit('output')
  })
  child.stdin.on('error', () => {}) // It may end without reading.
  if (stdin !== undefined) child.stdin.end(stdin)
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return {
    child,
    cwd,
    output: () => output,
    async lineWith(text) {
      for (;;) {
        const line = output.split('\n').find((one) => one.includes(text))
        if (line !== undefined) return line.trimEnd()
        if (exit !== undefined) throw new Error(`It ended with ${exit}, without "${text}":\n${output}`)
        await once(child, 'output')
      }
    },
    async result() {
      while (exit === undefined) await once(child, 'output')
      const objects = () => stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
      return { exit, stdout, stderr, objects }
    },
  }
}

async function prepareFolder({ cwd, files = {} }: RunOptions): Promise<string> {
  if (cwd === undefined) return createProject(files)
  writeFiles(cwd, files)
  return cwd
}

function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

function createEnv({ env }: RunOptions): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME, ...env }
}
