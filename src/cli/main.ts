#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, CommanderError, Option } from 'commander'
import { CliError } from './cli-error.ts'
import type { Run } from './command.ts'
import { COMMANDS, type CommandEntry } from './commands.ts'
import { loadEnv } from './configuration/load-env.ts'
import { EXIT_CODES, type ExitName } from './exit-codes.ts'
import { explainFailure } from './explain-failure.ts'
import { createOutput, escapeText } from './terminal/output.ts'
import { type StopWatch, watchForStop } from './terminal/stop.ts'

interface CommonFlags {
  readonly json?: boolean
  readonly verbose?: boolean
}

const DOCS = `
npx hooklayer <command> --help has the flags of a command and two examples.
Exit codes: ${Object.values(EXIT_CODES)
  .map(({ code }) => code)
  .join(', ')}; see https://github.com/hooklayer/hooklayer/blob/main/docs/cli.md`

/** How many causes of an error are printed with `--verbose`. */
const MAX_CAUSES = 5

const exit = await main(process.argv.slice(2))
process.exit(typeof exit === 'number' ? exit : EXIT_CODES[exit].code)

/** The name of an exit code, or the exit code of a program that a command has run. */
async function main(argv: readonly string[]): Promise<ExitName | number> {
  const watch = watchForStop(explainFailure)
  const ended = runCommand(argv, watch).catch((error) => (watch.stopped() ? 'OK' : report(error, argv)))
  const exit = await Promise.race([ended, watch.overdue.catch((): ExitName => 'OK')])
  await new Promise((resolve) => process.stdout.write('', resolve))
  await new Promise(setImmediate) // A failure of stdout is told after the write.
  const stopped = watch.stopped()
  if (stopped?.message) process.stderr.write(`${escapeText(stopped.message)}\n`)
  return stopped?.exit ?? exit
}

/** One line, and the stack where it was asked for. */
function report(error: unknown, argv: readonly string[]): ExitName {
  if (error instanceof CommanderError && /^commander\.(help|version)/.test(error.code)) {
    return error.exitCode === 0 ? 'OK' : 'USAGE' // It has been printed.
  }
  const { exit, message } = explainFailure(error)
  process.stderr.write(`${escapeText(message)}\n`)
  if (argv.includes('--verbose')) for (const stack of listStacks(error)) process.stderr.write(`${stack}\n`)
  return exit
}

/** The stacks of an error and of its causes: the place that matters is often in a cause, such as in a configuration. */
function listStacks(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > MAX_CAUSES) return []
  const stack = String(error.stack).split('\n').map(escapeText).join('\n')
  return [`${depth > 0 ? 'Caused by ' : ''}${stack}`, ...listStacks(error.cause, depth + 1)]
}

async function runCommand(argv: readonly string[], { signal }: StopWatch): Promise<ExitName | number> {
  const [name = '', ...rest] = argv[0] === 'help' && argv[1] ? [argv[1], '--help'] : argv
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!entry) {
    await createProgram().parseAsync(argv, { from: 'user' })
    return 'OK'
  }
  let exit: ExitName | number = 'OK'
  const run: Run =
    (work) =>
    async (...given) => {
      const [flags, ...args] = [given.at(-2), ...given.slice(0, -2)]
      const { json = false, verbose = false } = flags as CommonFlags
      loadEnv()
      const output = createOutput({ json, verbose })
      exit = (await work({ output, signal, loadCommands }, flags as never, ...(args as never))) ?? 'OK'
    }
  const command = await loadCommand(name, entry, run)
  await command.parseAsync(rest, { from: 'user' })
  return exit
}

async function loadCommand(name: string, { summary, load }: CommandEntry, run: Run): Promise<Command> {
  const { define } = await load()
  const command = configure(new Command(`hooklayer ${name}`).description(`hooklayer ${name} ${summary}.`))
  define(command, run)
  addCommonOptions(command)
  return command
}

function loadCommands(): Promise<Command[]> {
  const neverRun: Run = () => async () => {}
  return Promise.all(Object.entries(COMMANDS).map(([name, entry]) => loadCommand(name, entry, neverRun)))
}

/** The program without its commands' files: for `--help`, and for a command that is not known. */
function createProgram(): Command {
  const { version } = createRequire(import.meta.url)('hooklayer/package.json') as { version: string }
  const program = configure(new Command('hooklayer'))
    .usage('<command> [flags]')
    .description('Webhooks of Commerce Layer: develop, look into what happens, operate.')
    .version(version, '--version', 'prints the version')
    .helpCommand(false)
    .addHelpText('after', DOCS)
  for (const [name, { summary }] of Object.entries(COMMANDS)) program.command(name).description(summary)
  return program
}

function configure(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ outputError: () => {} }) // The error is thrown too, and printed by `report`.
    .helpOption('-h, --help', 'prints this text')
}

function addCommonOptions(command: Command): void {
  if (command.commands.length > 0) {
    for (const one of command.commands) addCommonOptions(configure(one))
    command.addHelpText('after', '\nEach of them has --help, --json and --verbose.')
    return
  }
  checkMandatoryLast(command)
  command
    .addOption(new Option('--json', 'prints one JSON object a line on stdout'))
    .addOption(new Option('--verbose', 'prints more, and the stack of an error'))
}

/** A misspelled flag is also a missing one. Commander would name the missing one first, and not the misspelled. */
function checkMandatoryLast(command: Command): void {
  const mandatory = command.options.filter((option) => option.mandatory)
  for (const option of mandatory) option.makeOptionMandatory(false)
  command.hook('preAction', () => {
    const missing = mandatory.find((option) => command.getOptionValue(option.attributeName()) === undefined)
    if (missing) throw new CliError('USAGE', `The flag ${missing.flags} is missing. See --help.`)
  })
}
