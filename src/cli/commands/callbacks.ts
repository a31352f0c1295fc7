import type { Command } from 'commander'
import type { HooklayerConfig } from 'hooklayer/config'
import { addCallFilters, type CallFilterFlags, readCallFilters } from '../calls/call-filters.ts'
import { type DescribedCall, describeCall, formatCall, printCalls, type ShowDataFlags } from '../calls/describe-call.ts'
import {
  createForwarding,
  createRedelivery,
  findEvents,
  type HandleEvent,
  handleEach,
} from '../calls/redeliver-calls.ts'
import { asUsage } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples, type Run } from '../command.ts'
import { connectApi } from '../configuration/connect-api.ts'
import { addConfigOption, type ConfigFlags, findConfig, loadConfig } from '../configuration/load-config.ts'
import { addSecretOptions, type SecretFlags } from '../configuration/secrets.ts'
import type { ExitName } from '../exit-codes.ts'
import { confirmHost, toReceiverUrl } from '../receiver/confirm-host.ts'
import { confirmOrStop } from '../terminal/ask.ts'
import { toCount } from '../terminal/count.ts'

interface ListFlags extends ConfigFlags, CallFilterFlags, ShowDataFlags {
  readonly limit: number
}

interface RedeliverFlags extends ConfigFlags, CallFilterFlags, SecretFlags {
  readonly to?: string
  readonly yes?: boolean
}

const SHOW_DATA = 'prints personal data, which is left out otherwise'

export const define: DefineCommand = (command, run) => {
  defineList(command.command('list'), run)
  defineShow(command.command('show'), run)
  defineRedeliver(command.command('redeliver'), run)
  command.addHelpText(
    'after',
    describeExamples(
      ['What failed in the last two hours', 'callbacks list --failed --since 2h'],
      ['One of them again, with the handlers of the configuration', 'callbacks redeliver xYZkjABcde'],
    ),
  )
}

function defineList(command: Command, run: Run): void {
  addCallFilters(
    addConfigOption(command.description('lists the calls of webhooks and their answers, the newest first')),
  )
    .option('--limit <number>', 'how many at most', toCount, 20)
    .option('--show-data', SHOW_DATA)
    .addHelpText(
      'after',
      describeExamples(
        ['What failed in the last two hours', 'callbacks list --failed --since 2h'],
        ['For a program', 'callbacks list --topic orders.place --limit 1000 --json'],
      ),
    )
    .action(run(async (context, flags: ListFlags) => list(flags, context)))
}

const PAGE_SIZE = 25

async function list(flags: ListFlags, { output, signal }: CommandContext): Promise<void> {
  const { limit } = flags
  const api = connectApi(await findConfig(flags))
  const query = { ...readCallFilters(flags), sort: '-created_at', pageSize: Math.min(limit + 1, PAGE_SIZE) } as const
  const calls = await asUsage(() => api.eventCallbacks.list({ ...query, signal }))
  const found: DescribedCall[] = []
  const progress = output.progress('Read')
  try {
    progress.update(0)
    for await (const call of calls) {
      found.push(describeCall(call, flags))
      progress.update(found.length)
      if (found.length > limit) break
    }
  } finally {
    progress.end()
  }
  const page = found.slice(0, limit)
  if (page.length > 0 || output.json) printCalls(output, page)
  else output.info('There is no such call.')
  if (found.length > limit) output.info(`There are more: add --until ${page.at(-1)?.createdAt}`)
}

function defineShow(command: Command, run: Run): void {
  addConfigOption(command.description('prints what is known of one call'))
    .argument('<id>', 'the id of an event callback')
    .option('--show-data', `${SHOW_DATA}: the payload`)
    .addHelpText(
      'after',
      describeExamples(
        ['What was answered', 'callbacks show xYZkjABcde'],
        ['The payload', 'callbacks show xYZkjABcde --show-data --json'],
      ),
    )
    .action(
      run(async ({ output, signal }, flags: ConfigFlags & ShowDataFlags, id: string) => {
        const api = connectApi(await findConfig(flags))
        const call = describeCall(await asUsage(() => api.eventCallbacks.retrieve(id, { signal })), flags)
        output.result(call, formatCall(call))
      }),
    )
}

function defineRedeliver(command: Command, run: Run): void {
  addSecretOptions(addCallFilters(addConfigOption(command.description('handles the events of calls again'))))
    .argument('[ids...]', 'ids of event callbacks')
    .option('--to <url>', 'sends them there, signed; default: runs the handlers of the configuration')
    .option('--yes', 'handles several, or sends to another host, without a question')
    .addHelpText(
      'after',
      describeExamples(
        ['One, with the handlers of the configuration', 'callbacks redeliver xYZkjABcde'],
        [
          'All that failed, to a local server',
          'callbacks redeliver --failed --since 2h --to http://127.0.0.1:3000/webhooks',
        ],
      ),
    )
    .action(run(async (context, flags: RedeliverFlags, ids: string[]) => redeliver(ids, flags, context)))
}

async function redeliver(ids: readonly string[], flags: RedeliverFlags, context: CommandContext): Promise<ExitName> {
  const { output, signal } = context
  const target = await findTarget(flags, signal)
  const { events, leftOut } = await findEvents(connectApi(target.config), ids, flags, context)
  if (target.url) await confirmHost(output, target.url, flags)
  if (events.length > 1) {
    const message = `${events.length} events will be handled again. Redeliver them?`
    await confirmOrStop(output, flags, message, 'Nothing was redelivered.')
  }
  const exit = await handleEach(events, target.handle, context)
  return leftOut > 0 ? 'FOUND_WRONG' : exit
}

interface Target {
  readonly config: HooklayerConfig | undefined
  readonly url?: URL
  readonly handle: HandleEvent
}

/** The URL of `--to`, or else the receiver of the configuration. */
async function findTarget(flags: RedeliverFlags, signal: AbortSignal): Promise<Target> {
  if (flags.to !== undefined) {
    const url = toReceiverUrl(flags.to, '--to')
    return { config: await findConfig(flags), url, handle: createForwarding(url, flags, signal) }
  }
  const config = await loadConfig(flags)
  return { config, handle: createRedelivery(config.receiver) }
}
