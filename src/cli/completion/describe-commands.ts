import type { Command, Option } from 'commander'

/** A place on the command line: after `hooklayer`, after `hooklayer inbox`, or after `hooklayer inbox list`. */
export interface Place {
  /** The commands so far: empty, `inbox`, or `inbox list`. */
  readonly path: string
  /** The commands that may follow, with what they do. */
  readonly commands: readonly Word[]
  readonly flags: readonly Flag[]
  /** What the arguments may be. */
  readonly args: Values
}

export interface Word {
  readonly text: string
  readonly about: string
}

interface Flag extends Word {
  /** `undefined` where the flag takes no value. */
  readonly values: Values | undefined
}

/** The values that can be listed, topics separated by commas, a file, or anything. */
export type Values = readonly string[] | 'topics' | 'topic list' | 'file' | 'anything'

/** Describes each command and its own commands from what they have told commander. */
export function describeCommands(commands: readonly Command[]): Place[] {
  const root: Place = {
    path: '',
    commands: commands.map(describeWord),
    flags: ['help', 'version'].map((name) => ({ text: `--${name}`, about: '', values: undefined })),
    args: [],
  }
  return [root, ...commands.flatMap((command) => describe(command, nameOf(command)))]
}

function describe(command: Command, path: string): Place[] {
  const [argument] = command.registeredArguments
  const place: Place = {
    path,
    commands: command.commands.map(describeWord),
    flags: [
      ...command.options.filter(({ hidden }) => !hidden).map(describeFlag),
      { text: '--help', about: 'prints the flags and two examples', values: undefined },
    ],
    args: argument ? (argument.argChoices ?? valuesOf(argument.name())) : [],
  }
  return [place, ...command.commands.flatMap((one) => describe(one, `${path} ${nameOf(one)}`))]
}

/** The name of a command of the program is `hooklayer inbox`, and that of its own commands `list`. */
function nameOf(command: Command): string {
  return command.name().replace(/^hooklayer /, '')
}

function describeWord(command: Command): Word {
  return { text: nameOf(command), about: command.description().replace(/^hooklayer \w+ /, '') }
}

function describeFlag(option: Option): Flag {
  const { long, short, description, argChoices, required, optional, flags } = option
  const takesValue = required || optional
  const [, placeholder = ''] = /[<[]([^>\]]*)/.exec(flags) ?? []
  const values = argChoices ?? (long === '--topics' ? 'topic list' : valuesOf(placeholder))
  return { text: long ?? short ?? '', about: description, values: takesValue ? values : undefined }
}

function valuesOf(placeholder: string): Values {
  if (/^topics?$/.test(placeholder)) return 'topics'
  return placeholder === 'file' ? 'file' : 'anything'
}
