import type { Webhook } from '@commercelayer/sdk'
import { type Command, Option } from 'commander'
import { describePlan, FAILURES_TO_OPEN, type Plan } from 'hooklayer/management'
import { CliError } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import { connectApi } from '../configuration/connect-api.ts'
import { addConfigOption, type ConfigFlags, findConfig, loadConfig } from '../configuration/load-config.ts'
import { addShowSecretsOption, maskSecret, permitNoSecrets, toVariable } from '../configuration/secrets.ts'
import { writeVariables } from '../configuration/write-variables.ts'
import { toReceiverUrl } from '../receiver/confirm-host.ts'
import { type RotateFlags, rotateSecrets, toProbes } from '../rotate/rotate-secrets.ts'
import { findRotations } from '../rotate/rotation.ts'
import { confirmOrStop } from '../terminal/ask.ts'
import { parseDuration } from '../terminal/duration.ts'
import { escapeText } from '../terminal/output.ts'

interface UrlFlags extends ConfigFlags {
  readonly url?: string
}

interface ApplyFlags extends UrlFlags {
  readonly yes?: boolean
  readonly showSecrets?: boolean
  readonly writeEnv?: string
}

interface ListFlags extends UrlFlags {
  readonly showSecrets?: boolean
}

export const define: DefineCommand = (command, run) => {
  command.addHelpText(
    'after',
    describeExamples(
      ['What has to change, so that the handlers get their deliveries', 'webhooks plan'],
      ['Change it', 'webhooks apply --write-env .env'],
    ),
  )

  addUrlOption(command.command('plan'))
    .description('prints which webhooks would be created, changed or deleted; exits with 1 if there are any')
    .addHelpText(
      'after',
      describeExamples(['For a person', 'webhooks plan'], ['For a program', 'webhooks plan --json | jq -r .action']),
    )
    .action(
      run(async (context, flags: UrlFlags) => {
        const { plan } = await makePlan(context, flags)
        printPlan(context, plan)
        return listChanges(plan).length === 0 ? 'OK' : 'FOUND_WRONG'
      }),
    )

  addWriteEnvOption(addShowSecretsOption(addUrlOption(command.command('apply'))))
    .description('creates, changes and deletes webhooks, so that the handlers get their deliveries')
    .option('--yes', 'deletes webhooks without a question')
    .addHelpText(
      'after',
      describeExamples(
        ['Ask before webhooks are deleted, and write the secrets to .env', 'webhooks apply --write-env .env'],
        ['In a pipeline', 'webhooks apply --yes --json'],
      ),
    )
    .action(run(apply))

  addShowSecretsOption(addUrlOption(command.command('list')))
    .description('prints the webhooks with their circuits')
    .addHelpText(
      'after',
      describeExamples(
        ['All webhooks of the organization', 'webhooks list'],
        ['Those of one receiver', 'webhooks list --url https://shop.example/webhooks --json'],
      ),
    )
    .action(run(list))

  addUrlOption(command.command('reset'))
    .description('closes circuits, so that Commerce Layer calls the webhooks again')
    .argument('[topic or id...]', 'the webhooks; default: all whose circuit is open')
    .addHelpText(
      'after',
      describeExamples(['All open circuits', 'webhooks reset'], ['Those of a topic', 'webhooks reset orders.place']),
    )
    .action(run(reset))

  addRotateFlags(command.command('rotate'))
    .description('replaces the secret of a webhook, without a delivery that is refused or lost')
    .argument('<topics...>', 'such as orders.place')
    .addHelpText(
      'after',
      describeExamples(
        ['Print both secrets, and go on when the receiver has them', 'webhooks rotate orders.place --show-secrets'],
        ['In two steps, with a deployment between', 'webhooks rotate orders.place --prepare --write-env .env'],
      ),
    )
    .action(run(rotate))
}

function addUrlOption(command: Command): Command {
  return addConfigOption(command).option('--url <url>', 'the URL that the webhooks call; default: `callbackUrl`')
}

function addWriteEnvOption(command: Command): Command {
  return command.option('--write-env <file>', 'writes the secrets to this file, as CL_SECRET_ORDERS__PLACE and so on')
}

function addRotateFlags(command: Command): Command {
  return addWriteEnvOption(addShowSecretsOption(addUrlOption(command)))
    .option('--prepare', 'makes the second webhook and ends; a second run goes on')
    .option('--probes <number>', 'how many probes in a row must be accepted; more for many instances', toProbes, 10)
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the receiver')
        .argParser(parseDuration)
        .default(30 * 60_000, '30m'),
    )
    .option('--yes', 'asks nothing')
}

async function makePlan({ signal }: CommandContext, flags: UrlFlags) {
  permitNoSecrets()
  const config = await loadConfig(flags)
  const management = connectApi(config)
  const callbackUrl = requireUrl(flags, config)
  try {
    return { management, plan: await management.plan(config.receiver, { callbackUrl, signal }) }
  } catch (error) {
    // A handler that includes what there is not, or a URL that the webhooks cannot have.
    if (error instanceof TypeError) throw new CliError('CONFIGURATION', error.message, { cause: error })
    throw error
  }
}

function requireUrl({ url }: UrlFlags, config: { readonly callbackUrl?: string | undefined } | undefined): string {
  if (url !== undefined) {
    toReceiverUrl(url, '--url')
    return url // As the webhooks have it: `URL` would write it in another way.
  }
  if (config?.callbackUrl !== undefined) return config.callbackUrl
  throw new CliError('USAGE', 'There is no URL: pass --url, or set `callbackUrl` in the configuration.')
}

function listChanges({ steps }: Plan): Plan['steps'] {
  return steps.filter(({ action }) => action !== 'keep')
}

function printPlan({ output }: CommandContext, plan: Plan): void {
  const changes = listChanges(plan)
  if (output.json) {
    for (const step of plan.steps) output.result(step, '')
    for (const note of plan.notes) output.result({ note }, '')
    return
  }
  const kept = plan.steps.length - changes.length
  const text = describePlan(output.verbose ? plan : { ...plan, steps: changes })
  if (text !== '') output.info(text)
  if (kept > 0) output.info(`${countWebhooks(kept)} ${kept === 1 ? 'needs' : 'need'} no change.`)
  if (plan.steps.length === 0) output.info('There is nothing to do.')
}

function countWebhooks(count: number): string {
  return `${count} webhook${count === 1 ? '' : 's'}`
}

async function apply(context: CommandContext, flags: ApplyFlags): Promise<void> {
  const { output, signal } = context
  const { management, plan } = await makePlan(context, flags)
  if (!output.json) printPlan(context, plan)
  const changes = listChanges(plan)
  const deletions = changes.filter(({ action }) => action === 'delete').length
  if (deletions > 0) {
    await confirmOrStop(output, flags, `Delete ${countWebhooks(deletions)}?`, 'Nothing was changed.')
  }
  const progress = output.progress('Applied', changes.length)
  let done = 0
  const secrets = await management
    .apply(plan, {
      signal,
      onStep(step) {
        if (output.json) output.result(step, '')
        if (step.action === 'keep') return
        done += 1
        progress.update(done, step.topic)
      },
    })
    .finally(() => progress.end())
  if (changes.length > 0) output.info(`${done} of ${changes.length} changes are made.`)
  await giveSecrets(
    context,
    secrets,
    new Set(changes.flatMap(({ action, topic }) => (action === 'create' ? topic : []))),
    flags,
  )
}

/** The receiver needs the secrets of webhooks that are new. The file gets all, because it may be new too. */
async function giveSecrets(
  { output }: CommandContext,
  secrets: Readonly<Record<string, string | readonly string[]>>,
  created: ReadonlySet<string>,
  flags: ApplyFlags,
): Promise<void> {
  const variables = Object.entries(secrets).map(([topic, some]) => [topic, [some].flat().join(',')] as const)
  if (flags.writeEnv !== undefined) {
    const named = variables.map(([topic, value]) => [toVariable(topic), value])
    await writeVariables(flags.writeEnv, Object.fromEntries(named))
    output.info(`${flags.writeEnv} has the secrets of ${countWebhooks(named.length)}.`)
  }
  for (const [topic, secret] of variables) {
    const [variable, value] = [toVariable(topic), maskSecret(secret, flags)]
    if (created.has(topic)) output.result({ topic, variable, value }, escapeText(`${variable}=${value}`))
  }
  if (created.size > 0 && !flags.showSecrets && flags.writeEnv === undefined) {
    output.info('The receiver needs these secrets: `webhooks list --show-secrets` prints them.')
  }
}

async function list({ output, signal }: CommandContext, flags: ListFlags): Promise<void> {
  permitNoSecrets()
  const config = await findConfig(flags)
  const rows: ReturnType<typeof toRow>[] = []
  for await (const webhook of connectApi(config).webhooks.list({ signal })) {
    if ((flags.url ?? webhook.callback_url) === webhook.callback_url) rows.push(toRow(webhook, flags))
  }
  if (rows.length === 0) return output.info('There is no webhook.')
  output.table(rows, [
    { title: 'topic', read: ({ topic }) => topic },
    { title: 'url', read: ({ url }) => url },
    { title: 'circuit', read: ({ circuit, disabled }) => (disabled ? 'disabled' : circuit) },
    { title: 'failures left', align: 'right', read: ({ failuresLeft }) => failuresLeft },
    { title: 'id', read: ({ id }) => id },
    ...(flags.showSecrets ? [{ title: 'secret', read: ({ secret = '' }: (typeof rows)[number]) => secret }] : []),
  ])
}

function toRow(webhook: Webhook, { showSecrets }: ListFlags) {
  const { id, topic, callback_url: url, circuit_state, circuit_failure_count, disabled_at, shared_secret } = webhook
  const isOpen = circuit_state === 'open'
  return {
    topic,
    url,
    circuit: isOpen ? 'open' : 'closed',
    failuresLeft: isOpen ? 0 : Math.max(0, FAILURES_TO_OPEN - (circuit_failure_count ?? 0)),
    disabled: typeof disabled_at === 'string',
    id,
    secret: showSecrets ? shared_secret : undefined,
  }
}

async function reset({ output, signal }: CommandContext, flags: UrlFlags, wanted: readonly string[]): Promise<void> {
  permitNoSecrets()
  const config = await findConfig(flags)
  const { webhooks } = connectApi(config)
  const chosen: Webhook[] = []
  const unknown = new Set(wanted)
  for await (const webhook of webhooks.list({ signal })) {
    if ((flags.url ?? webhook.callback_url) !== webhook.callback_url) continue
    const names = [webhook.topic, webhook.id].filter((name) => wanted.includes(name))
    for (const name of names) unknown.delete(name)
    if (names.length > 0 || (wanted.length === 0 && webhook.circuit_state === 'open')) chosen.push(webhook)
  }
  const [missing] = unknown
  if (missing !== undefined) throw new CliError('USAGE', `There is no webhook of the topic or with the id ${missing}.`)
  if (chosen.length === 0) output.info('No circuit is open.')
  for (const { id, topic, callback_url: url } of chosen) {
    await webhooks.resetCircuit(id, { signal })
    output.result({ id, topic, url, circuit: 'closed' }, escapeText(`${topic} → ${url}: the circuit is closed.`))
  }
}

async function rotate(
  context: CommandContext,
  flags: RotateFlags & UrlFlags & { readonly yes?: boolean },
  topics: readonly string[],
): Promise<void> {
  const { output, signal } = context
  permitNoSecrets()
  const config = await findConfig(flags)
  const management = connectApi(config)
  const rotations = await findRotations(management, topics, requireUrl(flags, config), signal)
  const ids = rotations.map(({ topic, old }) => `${old.id} (${topic})`).join(', ')
  if (!flags.prepare) {
    const message = escapeText(`Replace ${ids}, and delete it at the end?`)
    await confirmOrStop(output, flags, message, 'Nothing was changed.')
  }
  await rotateSecrets(context, management, rotations, flags)
}
