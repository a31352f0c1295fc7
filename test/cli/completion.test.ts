import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { describeUnless } from '../unless.ts'
import { buildPackage } from './build.ts'
import { runCli } from './run-cli.ts'

/** All that may follow a line. */
const LINES: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['hooklayer ', Object.keys(COMMANDS)],
  ['hooklayer doc', ['doctor']],
  ['hooklayer --v', ['--version']],
  ['hooklayer trigger orders.plac', ['orders.place', 'orders.placing']],
  ['hooklayer trigger orders.place --fau', ['--fault']],
  ['hooklayer trigger --fault ', ['duplicate', 'reorder', 'wrong-signature', 'other-topic', 'slow', 'cut']],
  ['hooklayer trigger --fault duplicate --t', ['--times', '--to']],
  ['hooklayer doctor http://127.0.0.1:3000/ --topic customers.c', ['customers.create', 'customers.create_password']],
  ['hooklayer verify --body ord', ['order.json']],
  ['hooklayer completion ', ['bash', 'zsh', 'fish']],
  ['hooklayer inbox dis', ['discard']],
  ['hooklayer inbox list --stat', ['--state']],
  ['hooklayer init --topics orders.place,orders.refun', ['orders.place,orders.refund']],
]

const FOLDER = mkdtempSync(join(tmpdir(), 'hooklayer-completion-'))
const scriptOf = (shell: string) => join(FOLDER, `.${shell}`)

beforeAll(async () => {
  writeFileSync(join(FOLDER, 'order.json'), '{}')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const words = [join(await buildPackage(), 'dist/cli.js'), 'completion', shell]
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    writeFileSync(scriptOf(shell), stdout)
  }
})
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

const isMissing = (shell: string) =>
  spawnSync(shell, ['-c', 'exit 0']).status === 0 ? undefined : `${shell} is not installed`

describeUnless(isMissing('bash'))('in bash', () => {
  it.each(LINES)('%j is completed', (line, words) => expect(completeInBash(line)).toEqual([...words].sort()))

  it('is loaded by its own name, and gives nothing where anything may stand', () => {
    expect(completeInBash('hooklayer trigger --to ')).toEqual([])
    const { stdout } = bash('complete -p hooklayer')
    expect(stdout).toBe('complete -F _hooklayer hooklayer\n')
  })
})

function completeInBash(line: string): string[] {
  const words = line.split(' ').map((word) => `'${word}'`)
  const { stdout } = bash(
    `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _hooklayer; printf '%s\\n' "\${COMPREPLY[@]}"`,
  )
  return stdout.split('\n').filter(Boolean).sort()
}

function bash(code: string) {
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', `set -u; source '${scriptOf('bash')}'; ${code}`], {
    cwd: FOLDER,
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  return { stdout }
}

describeUnless(isMissing('fish'))('in fish', () => {
  it.each(LINES)('%j is completed', (line, words) => {
    const code = `source '${scriptOf('fish')}'; complete -C '${line}'`
    const env = { ...process.env, HOME: FOLDER }
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', code], { cwd: FOLDER, encoding: 'utf8', env })
    expect(stderr).toBe('')
    const found = stdout.split('\n').flatMap((one) => one.split('\t')[0] || [])
    expect(found.sort()).toEqual([...words].sort())
  })
})

describeUnless(isMissing('zsh'))('in zsh', () => {
  it.each(LINES)('%j is completed', async (line, words) => {
    const listed = await completeInZsh(line)
    for (const word of words) expect(listed).toContain(word)
    expect(listed).not.toContain('command not found')
  })
})

/** zsh completes in a terminal only. What it lists, or puts into the line, comes between two marks. */
async function completeInZsh(line: string): Promise<string> {
  const child = spawn('script', ['-qec', 'stty cols 200; zsh -f -i', '/dev/null'], { cwd: FOLDER })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  const wait = async (mark: string) => {
    const end = Date.now() + 15_000
    while (!output.includes(mark)) {
      if (Date.now() > end) throw new Error(`zsh did not print ${mark}:\n${output}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  try {
    const setUp = `PROMPT='> '; LISTMAX=1000; unsetopt beep; autoload -Uz compinit; compinit -u -D; source '${scriptOf('zsh')}'`
    // Only then it takes keys: before, Ctrl-U would be the terminal's.
    const whenReady = `zle-line-init() { print -n re''ady }; zle -N zle-line-init`
    child.stdin.write(`${setUp}; ${whenReady}\n`)
    await wait('ready')
    output = ''
    child.stdin.write(`${line}\t\t\x15echo do''ne\n`) // Ctrl-U clears the line.
    await wait('done')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
    return output.replace(/\u001b\[[\d;?]*[a-zA-Z]/g, '')
  } finally {
    child.kill('SIGKILL')
  }
}

describe('hooklayer completion', () => {
  it('knows each flag of each command', async () => {
    for (const name of Object.keys(COMMANDS)) {
      const { stdout } = await runCli(['help', name])
      const flags = Array.from(stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm), ([, flag]) => flag)
      expect(flags.length).toBeGreaterThan(0)
      if (!isMissing('bash')) expect(completeInBash(`hooklayer ${name} -`)).toEqual(expect.arrayContaining(flags))
    }
  })

  it('prints an object with --json, and refuses another shell', async () => {
    const { objects } = await runCli(['completion', 'fish', '--json'])
    expect(objects()).toEqual([{ shell: 'fish', script: expect.stringContaining('complete -c hooklayer') }])
    expect(await runCli(['completion', 'tcsh'])).toMatchObject({ exit: 2, stderr: expect.stringContaining('tcsh') })
  })
})
