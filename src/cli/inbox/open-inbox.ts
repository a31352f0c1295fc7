import { accessSync, constants, existsSync, statSync } from 'node:fs'
import type { Command } from 'commander'
import type { Inbox } from 'hooklayer'
import { asUsage, CliError } from '../cli-error.ts'
import { addConfigOption, type ConfigFlags, findConfig } from '../configuration/load-config.ts'
import type { ExitName } from '../exit-codes.ts'

export interface InboxFlags extends ConfigFlags {
  readonly sqlite?: string
  readonly redis?: string
  readonly postgres?: string
  readonly name?: string
  readonly prefix?: string
  readonly transactionPooling?: boolean
  /** Only of commands that write. */
  readonly force?: boolean
}

/** The flags that say which inbox. {@link useInbox} reads them. */
export function addInboxOptions(command: Command): Command {
  return addConfigOption(command)
    .option('--sqlite <file>', 'the file of a SQLite inbox; default: `inbox` of the configuration')
    .option('--redis <url>', 'the URL of a BullMQ inbox on Redis, or the name of a variable that holds it')
    .option('--postgres <url>', 'the same on PostgreSQL')
    .option('--name <name>', 'the name of a BullMQ inbox; default: hooklayer')
    .option('--prefix <prefix>', 'what its keys on Redis begin with; default: bull')
    .option('--transaction-pooling', 'PostgreSQL is behind PgBouncer in transaction pooling')
}

/** The flag of commands that write. */
export function addForceOption(command: Command): Command {
  return command.option('--force', 'writes to a SQLite file of another user')
}

/**
 * Opens the inbox that the flags or the configuration name, and closes it after the work. With `read`, a SQLite file
 * that a flag names is neither created nor written.
 */
export async function useInbox<T>(
  flags: InboxFlags,
  access: 'read' | 'write',
  work: (inbox: Inbox) => Promise<T>,
): Promise<T> {
  const inbox = await openInbox(flags, access)
  try {
    return await work(inbox)
  } catch (error) {
    throw explainEngine(error)
  } finally {
    await inbox.close().catch(() => {}) // The failure of the work says more.
  }
}

async function openInbox(flags: InboxFlags, access: 'read' | 'write'): Promise<Inbox> {
  const { sqlite, redis, postgres, name, prefix, transactionPooling, force = false } = flags
  if ([sqlite, redis, postgres].filter((one) => one !== undefined).length > 1) {
    throw new CliError('USAGE', 'Give one of --sqlite, --redis and --postgres.')
  }
  if (sqlite !== undefined) {
    checkFile(sqlite, access, force)
    return openFile(sqlite, access)
  }
  if (redis !== undefined || postgres !== undefined) {
    const { createBullmqInbox } = await import('hooklayer/inboxes/bullmq')
    const place =
      redis === undefined
        ? { postgres: readUrl('--postgres', postgres ?? ''), transactionPooling, migrate: false }
        : { redis: readUrl('--redis', redis), transactionPooling }
    return asUsage(() => createBullmqInbox({ ...place, name, prefix }))
  }
  const inbox = (await findConfig(flags))?.inbox
  if (inbox) return inbox
  throw new CliError(
    'CONFIGURATION',
    'Name an inbox with --sqlite, --redis or --postgres, or give `inbox` in hooklayer.config.ts.',
  )
}

async function openFile(file: string, access: 'read' | 'write'): Promise<Inbox> {
  const { createSqliteInbox } = await import('hooklayer/inboxes/sqlite')
  try {
    return createSqliteInbox({ file, readOnly: access === 'read' })
  } catch (error) {
    const { message, cause } = error as Error
    if (typeof Object(cause).syscall === 'string') throw error // The system says why.
    throw new CliError('CONFIGURATION', message, { cause: error })
  }
}

/** Nothing is created: a file that is not there is a wrong path. */
function checkFile(file: string, access: 'read' | 'write', force: boolean): void {
  if (!existsSync(file)) throw new CliError('UNREACHABLE', `There is no inbox: the file ${file} does not exist.`)
  if (access === 'read') return
  const user = process.getuid?.()
  const owner = statSync(file).uid
  if (!force && user !== undefined && user !== owner) {
    throw new CliError(
      'REFUSED',
      `${file} belongs to another user, with the id ${owner}: run the command as that user, or with --force.`,
    )
  }
  accessSync(file, constants.W_OK)
}

/** A URL with a password would be in the list of processes, so it may be in a variable. */
function readUrl(flag: string, given: string): string {
  if (!/^[A-Za-z_]\w*$/.test(given)) return given
  const value = process.env[given]
  if (!value) throw new CliError('CONFIGURATION', `${flag}: the variable ${given} is not set.`)
  return value
}

/** What servers say, and how the command ends. What the system says is known already. */
const SERVER_ANSWERS: readonly (readonly [answer: RegExp, exit: ExitName, about: string])[] = [
  [/NOAUTH|WRONGPASS|NOPERM|password authentication failed|permission denied/, 'REFUSED', 'The server refused access'],
  [/did not answer in time|timed out|Connection is closed/, 'UNREACHABLE', 'The server does not answer'],
  [/createBullmqInbox needs/, 'CONFIGURATION', 'A package is missing'],
  [/tables of BullMQ are missing/, 'CONFIGURATION', 'There is no inbox in this database'],
  [/(role|database) ".*" does not exist/, 'CONFIGURATION', 'The URL is wrong'],
]

function explainEngine(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CliError) return error
  const found = SERVER_ANSWERS.find(([answer]) => answer.test(error.message))
  if (!found) return error
  const [, exit, about] = found
  const message = error.cause instanceof Error ? error.cause.message : error.message
  return new CliError(exit, `${about}: ${message}`, { cause: error })
}
