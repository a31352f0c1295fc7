import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { runCli, startCli } from './run-cli.ts'

describe('hooklayer', () => {
  it('lists all commands with --help, on stdout, and with an error where none is given', async () => {
    const asked = await runCli(['--help'])
    expect(asked).toMatchObject({ exit: 0, stderr: '' })
    for (const [name, { summary }] of Object.entries(COMMANDS)) {
      expect(asked.stdout.replace(/\s+/g, ' ')).toContain(`${name} ${summary}`)
    }
    expect(await runCli([])).toMatchObject({ exit: 2, stdout: '', stderr: asked.stdout })
  })

  it('prints its version', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['verfy'], "Unknown command 'verfy'. Did you mean verify? See --help.\n"],
    [['--hepl'], "Unknown option '--hepl'. Did you mean --help? See --help.\n"],
    [['constructor'], "Unknown command 'constructor'. See --help.\n"],
  ])('refuses %j in one line, with 2', async (args, stderr) => {
    expect(await runCli(args)).toMatchObject({ exit: 2, stdout: '', stderr })
  })

  it.each(Object.keys(COMMANDS))('%s has --help with two examples, --json and --verbose', async (name) => {
    const { exit, stdout, stderr } = await runCli(['help', name])
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout.match(/^ {2}\$ npx hooklayer /gm)?.length).toBeGreaterThanOrEqual(2)
    for (const flag of ['--json', '--verbose', '--help']) expect(stdout).toContain(flag)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 130 on %s', async (signal) => {
    const running = await startCli(['verify', '--topic', 'a.b', '--secret', 's', '--signature', 'x', '--verbose'])
    // More than a pipe or a socket holds: once all is written, the program reads.
    await new Promise((resolve) => running.child.stdin.write('x'.repeat(8_000_000), resolve))
    running.child.kill(signal)
    expect(await running.result()).toMatchObject({ exit: 130, stderr: 'Interrupted.\n' })
  })

  it('ends quietly, with the result as its code, when nobody reads its output', async () => {
    const running = await startCli(['verify', '--topic', 'a.b', '--secret', 's', '--signature', 'x', '--json'])
    running.child.stdout.destroy()
    running.child.stdin.end('{}')
    expect(await running.result()).toMatchObject({ exit: 1, stderr: '' })
  })
})
