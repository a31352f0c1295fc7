import type { Webhook } from '@commercelayer/sdk'
import type { Command } from 'commander'
import type { Management } from 'hooklayer/management'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import { connectApi } from '../configuration/connect-api.ts'
import { addConfigOption, type ConfigFlags, findConfig, readCredentials } from '../configuration/load-config.ts'
import { addSecretOptions, findEnvSecret, readSecrets, type SecretFlags } from '../configuration/secrets.ts'
import { addTopicsOption } from '../configuration/topics-option.ts'
import type { ExitName } from '../exit-codes.ts'
import { findStateFile, openListenState } from '../listen/listen-state.ts'
import { chooseStart, type IncomingEvent, listenForEvents } from '../listen/listener.ts'
import { createTopicFilter } from '../listen/wanted-topics.ts'
import { confirmHost, DEFAULT_RECEIVER, findDefaultReceiver, toReceiverUrl } from '../receiver/confirm-host.ts'
import { forward } from '../receiver/forward.ts'
import { createAsk } from '../terminal/ask.ts'
import { describeClock, parseMoment } from '../terminal/moment.ts'
import { escapeText, isSuccess, paintStatus } from '../terminal/output.ts'

interface ListenFlags extends SecretFlags, ConfigFlags {
  readonly forward?: string
  readonly since?: string
  readonly topics?: readonly string[]
  readonly once?: boolean
  readonly again?: boolean
  readonly resetCircuits?: boolean
  readonly yes?: boolean
}

export const define: DefineCommand = (command, run) => {
  addFlags(command)
    .addHelpText(
      'after',
      describeExamples(
        ['What happens from now on', 'listen --forward http://127.0.0.1:3000/webhooks'],
        ['The orders of the last two hours, and no more', 'listen --since 2h --topics orders.place --once'],
      ),
    )
    .action(run(listen))
}

function addFlags(command: Command): Command {
  return addTopicsOption(
    addConfigOption(addSecretOptions(command)),
    'the topics to forward; default: those with a handler, or all',
  )
    .option('--forward <url>', `the receiver; default: ${DEFAULT_RECEIVER}`)
    .option('--since <time>', 'begins then: 2h, or 2026-11-20T14:00:00Z; default: where it was, or now')
    .option('--once', 'ends when all is forwarded')
    .option('--again', 'forgets what was forwarded before')
    .option('--reset-circuits', 'closes open circuits without a question')
    .option('--yes', 'forwards to other hosts than this one without a question')
}

async function listen(context: CommandContext, flags: ListenFlags): Promise<ExitName> {
  const { output, signal } = context
  const since = flags.since === undefined ? undefined : parseMoment(flags.since, '--since').toISOString()
  const config = await findConfig(flags)
  const url = toReceiverUrl(flags.forward ?? config?.forward ?? findDefaultReceiver(), '--forward')
  const { organization, url: api = '' } = readCredentials(config)
  const management = connectApi(config)
  const findSecret = await createSecretFinder(flags, signal)
  await confirmHost(output, url, flags)
  const file = findStateFile(api, organization, url.href, process.cwd())
  const state = await openListenState(file, { isNew: flags.again === true })
  await chooseStart(management, state, since, signal)
  const { from, last } = state
  output.info(escapeText(`Forwarding ${organization} to ${url.href}, from ${last?.created_at ?? from} on.`))
  const told = new Set<string>()
  let [forwarded, accepted] = [0, 0]
  const onUnreachable = (problem: string) => output.warn(escapeText(`Waiting for ${url.host}. ${problem}`))
  await listenForEvents({
    management,
    state,
    isWanted: createTopicFilter(flags.topics, config),
    once: flags.once === true,
    signal,
    onProblem: (problem) => output.warn(`${problem} It is tried again.`),
    onWebhooks: (webhooks) => warnOfOpenCircuits(context, management, webhooks, told, flags),
    async onEvent(event) {
      const { topic, call, webhook } = event
      const secret = findSecret(topic) ?? webhook.shared_secret
      const options = { url, keepsTrying: flags.once !== true, onUnreachable, signal }
      const answer = await forward({ topic, document: call.payload, secret }, options)
      forwarded += 1
      if (isSuccess(answer.status)) accepted += 1
      const report = toReport(event, answer)
      output.result(report, describeReport(report))
    },
  })
  output.info(`${forwarded} ${forwarded === 1 ? 'event' : 'events'} forwarded, ${accepted} accepted.`)
  return accepted === forwarded ? 'OK' : 'FOUND_WRONG'
}

/** A secret of the flags signs all topics. Else a topic has one in the environment, or that of its webhook. */
async function createSecretFinder(
  flags: SecretFlags,
  signal: AbortSignal,
): Promise<(topic: string) => string | undefined> {
  if (flags.secret === undefined && flags.secretEnv === undefined) return findEnvSecret
  const [secret] = await readSecrets('', flags, signal)
  return () => secret
}

/** Says once which circuits are open, and offers to close them: until then nothing can be listened to. */
async function warnOfOpenCircuits(
  { output, signal }: CommandContext,
  management: Management,
  webhooks: readonly Webhook[],
  told: Set<string>,
  { resetCircuits = false }: ListenFlags,
): Promise<void> {
  if (webhooks.length === 0 && !told.has('')) {
    told.add('')
    output.warn('There is no webhook of these topics, so nothing is called: `hooklayer webhooks apply` makes them.')
  }
  for (const { id, topic, callback_url, circuit_state } of webhooks) {
    if (circuit_state !== 'open') told.delete(id)
    if (circuit_state !== 'open' || told.has(id)) continue
    told.add(id)
    const url = escapeText(callback_url)
    output.warn(`${escapeText(topic)}: the circuit of ${id} is open, so Commerce Layer does not call ${url}.`)
    const ask = createAsk(output, { yes: resetCircuits })
    const question = { message: `Close the circuit of ${id}?`, flag: '--reset-circuits' }
    if ((resetCircuits || ask.canAsk) && (await ask.confirm(question))) {
      await management.webhooks.resetCircuit(id, { signal })
      output.info(`${id}: the circuit is closed.`)
    } else output.warn(`\`hooklayer webhooks reset ${id}\`, or --reset-circuits here, closes it.`)
  }
}

function toReport({ call, topic, eventId }: IncomingEvent, answer: Awaited<ReturnType<typeof forward>>) {
  const { type, id } = Object(Object(call.payload).data)
  return { topic, eventId, resource: `${type}/${id}`, callbackId: call.id, createdAt: call.created_at, ...answer }
}

/** One line: `10:03:04  orders.place  orders/NrlYhpzLKA  200 handled  12 ms`. */
function describeReport({
  topic,
  resource,
  createdAt,
  status,
  answer,
  durationMs,
}: ReturnType<typeof toReport>): string {
  const shown = `${paintStatus(status)} ${escapeText(answer)}`
  const words = [describeClock(createdAt), escapeText(topic), escapeText(resource), shown, `${durationMs} ms`]
  return words.join('  ')
}
