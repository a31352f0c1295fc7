import type { Command } from 'commander'
import type { ExitName } from './exit-codes.ts'
import type { Output } from './terminal/output.ts'

/** What every command is given. */
export interface CommandContext {
  readonly output: Output
  /** Aborted by Ctrl-C, SIGTERM and a broken pipe. The command then has two seconds to clean up. */
  readonly signal: AbortSignal
  /** Describes all commands of the program, with their flags. Nothing of them runs. */
  readonly loadCommands: () => Promise<readonly Command[]>
}

/**
 * The work of a command: called with its flags and its arguments. It gives the name of an exit code, or nothing for 0,
 * or the exit code of a program that it has run. It throws a `CliError` for what it can explain.
 */
type Work<Flags, Args extends readonly unknown[]> = (
  context: CommandContext,
  flags: Flags,
  ...args: Args
  // biome-ignore lint/suspicious/noConfusingVoidType: a command without a word about its end has ended well.
) => Promise<ExitName | number | void>

/** Turns the work of a command into an action of commander. */
export type Run = <Flags, const Args extends readonly unknown[]>(
  work: Work<Flags, Args>,
) => (...given: unknown[]) => Promise<void>

/** The one export of a file in `commands/`: describes flags, arguments and examples, and sets the action. */
export type DefineCommand = (command: Command, run: Run) => void

/** The end of a command's `--help`: each example is what it does, and the line to type. */
export function describeExamples(...examples: readonly (readonly [what: string, line: string])[]): string {
  const lines = examples.map(([what, line]) => `  # ${what}\n  $ npx hooklayer ${line}`)
  return `\nExamples:\n${lines.join('\n')}`
}
