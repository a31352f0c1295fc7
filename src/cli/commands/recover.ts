import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Recovery, type RecoveryCursor, RecoveryError, type RecoveryResult } from 'hooklayer/management'
import { asUsage, CliError } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import { connectApi } from '../configuration/connect-api.ts'
import { addConfigOption, type ConfigFlags, loadConfig } from '../configuration/load-config.ts'
import type { ExitName } from '../exit-codes.ts'
import { parseMoment } from '../terminal/moment.ts'
import { escapeText, type Output, paint } from '../terminal/output.ts'

interface RecoverFlags extends ConfigFlags {
  readonly since: string
  readonly until?: string
  readonly topic?: string
  readonly webhook?: string
  readonly callbackUrl?: string
  readonly dryRun?: boolean
  readonly resetCircuits?: boolean
  readonly retrigger?: boolean
  readonly cursor?: string
}

export const define: DefineCommand = (command, run) => {
  addConfigOption(command.requiredOption('--since <time>', 'calls that failed since then: 2h, or 2026-11-20T14:00:00Z'))
    .option('--until <time>', 'calls before then')
    .option('--topic <topic>', 'events of this topic only')
    .option('--webhook <id>', 'calls of this webhook only')
    .option('--callback-url <url>', 'webhooks that call this URL only; default: `callbackUrl` of the configuration')
    .option('--dry-run', 'reports what would be done, and does nothing')
    .option('--reset-circuits', 'resets open circuits afterwards')
    .option('--retrigger', 'has Commerce Layer send events again whose payload lacks an include')
    .option('--cursor <file>', 'where it was: continues there if the file exists, and writes it')
    .addHelpText(
      'after',
      describeExamples(
        ['What it would do', 'recover --since 2h --dry-run'],
        [
          'After a fix, and once more for what still fails',
          'recover --since 1d --reset-circuits --cursor recovery.json',
        ],
      ),
    )
    .action(run(async (context, flags: RecoverFlags) => recover(flags, context)))
}

async function recover(flags: RecoverFlags, { output, signal }: CommandContext): Promise<ExitName> {
  const { since, until, topic, webhook: webhookId, dryRun, resetCircuits, retrigger, cursor: file } = flags
  const config = await loadConfig(flags)
  const api = connectApi(config)
  const progress = output.progress('Recovered')
  let done = 0
  const onResult = (result: RecoveryResult) => {
    done += 1
    output.result(result, describeResult(result))
    progress.update(done)
  }
  const options = {
    ...{ topic, webhookId, dryRun, resetCircuits, retrigger, onResult, signal },
    since: parseMoment(since, '--since'),
    until: until === undefined ? undefined : parseMoment(until, '--until'),
    callbackUrl: flags.callbackUrl ?? config.callbackUrl,
    after: file === undefined ? undefined : readCursor(file),
  }
  const finish = (recovery: Recovery) => {
    progress.end()
    if (file !== undefined && !dryRun) writeFileSync(file, `${JSON.stringify(recovery.cursor)}\n`)
    printSummary(output, recovery)
  }
  try {
    progress.update(0)
    const recovery = await asUsage(() => api.recover(config.receiver, options))
    finish(recovery)
    return recovery.failed > 0 || !recovery.complete ? 'FOUND_WRONG' : 'OK'
  } catch (error) {
    if (error instanceof RecoveryError) finish(error.recovery)
    throw error
  } finally {
    progress.end()
  }
}

function readCursor(file: string): RecoveryCursor | undefined {
  if (!existsSync(file)) return undefined
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new CliError('USAGE', `--cursor: ${file} is not a cursor that \`recover\` has written.`)
  }
}

function describeResult({ topic, resource, result, error }: RecoveryResult): string {
  const shown = paint(result === 'failed' ? 'red' : 'green', result)
  return `${escapeText(`${topic} ${resource}`)}: ${shown}${error === undefined ? '' : ` ${escapeText(error)}`}`
}

/** The counts that are not 0. With `--json` it is the last object. */
function printSummary(output: Output, recovery: Recovery): void {
  const { recovered, wouldRecover, alreadyDelivered, retriggered, failed, unhandled, circuitsReset, complete } =
    recovery
  const counts = [
    [recovered, 'recovered'],
    [wouldRecover, 'would be recovered'],
    [alreadyDelivered, 'already delivered'],
    [retriggered, 'triggered again'],
    [failed, 'failed'],
    [unhandled, 'left alone'],
    [circuitsReset, 'circuits reset'],
  ] as const
  const told = counts.flatMap(([count, what]) => (count > 0 ? `${count} ${what}` : []))
  const end = complete ? '' : ' It was not completed.'
  output.result(recovery, `${told.length > 0 ? told.join(', ') : 'Nothing has failed'}.${end}`)
}
