import { randomBytes } from 'node:crypto'
import { type Command, Option } from 'commander'
import type { HooklayerConfig } from 'hooklayer/config'
import type { CredentialsOptions } from 'hooklayer/management'
import { createDelivery, sign, type TestDelivery } from 'hooklayer/testing'
import { asUsage, CliError } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import { warnOfUnknownTopic } from '../configuration/catalog.ts'
import { addConfigOption, type ConfigFlags, findConfig, readCredentials } from '../configuration/load-config.ts'
import { addSecretOptions, readSecrets, type SecretFlags } from '../configuration/secrets.ts'
import type { ExitName } from '../exit-codes.ts'
import { confirmHost, DEFAULT_RECEIVER, findDefaultReceiver, toReceiverUrl } from '../receiver/confirm-host.ts'
import { readAnswer } from '../receiver/read-answer.ts'
import { toCount } from '../terminal/count.ts'
import { escapeText, isSuccess, paint } from '../terminal/output.ts'
import { readInputFile } from '../terminal/read-input.ts'
import { checkFields } from '../trigger/check-fields.ts'
import { FAULTS, type Fault } from '../trigger/faults.ts'
import { applyFault, createBody, type PlannedDelivery } from '../trigger/faulty-delivery.ts'
import { readChanges } from '../trigger/set-fields.ts'
import { connectToEmulator } from '../trigger/trigger-emulator.ts'

interface TriggerFlags extends SecretFlags, ConfigFlags {
  readonly to?: string
  readonly set?: readonly string[]
  readonly file?: string
  readonly times: number
  readonly concurrency: number
  readonly fault?: Fault
  readonly yes?: boolean
}

/** What is printed of each answer. */
interface Answer {
  readonly topic: string
  readonly url: string
  readonly status: number
  /** The `code` of the receiver's answer, or the outcome. */
  readonly answer: string
  readonly durationMs: number
}

/** One delivery of a run, and which answers are right. */
interface Sending {
  readonly send: () => Promise<readonly Answer[]>
  readonly isExpected: (answer: Answer) => boolean
}

const TIMEOUT_MS = 30_000

export const define: DefineCommand = (command, run) => {
  addFlags(command)
    .argument('<topic>', 'such as orders.place')
    .addHelpText(
      'after',
      describeExamples(
        ['One order', 'trigger orders.place --to http://127.0.0.1:3000/webhooks --set customer.email=zoe@example.com'],
        ['One customer, by the emulator that CL_API_URL names', 'trigger customers.create'],
        ['100 orders, each twice', 'trigger orders.place --times 100 --concurrency 10 --fault duplicate'],
      ),
    )
    .action(
      run(async (context, flags: TriggerFlags, topic: string) => {
        const config = await findConfig(flags)
        const emulator = findEmulator(config, flags)
        if (emulator) return triggerThere(context, emulator, topic, flags)
        warnOfUnknownTopic(topic, context.output)
        const url = toReceiverUrl(flags.to ?? config?.forward ?? findDefaultReceiver(), '--to')
        const [secret = ''] = await readSecrets(topic, flags, context.signal)
        await confirmHost(context.output, url, flags)
        const deliveries = await asUsage(() => createDeliveries(topic, secret, flags))
        await checkFields(topic, readChanges(flags.set ?? []), context.output)
        const otherSecret = randomBytes(16).toString('hex')
        const planned = await applyFault(deliveries, flags.fault, { otherSecret })
        const sendings = planned.map((plan) => ({
          send: async () => [await send(plan, url, context.signal)],
          isExpected: (answer: Answer) => isExpected(answer, plan),
        }))
        return sendAll(context, sendings, flags.concurrency)
      }),
    )
}

function addFlags(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []) => [...before, value]
  const faults = Object.entries(FAULTS).map(([name, what]) => `${name}: ${what}`)
  return addConfigOption(addSecretOptions(command.option('--to <url>', `the receiver; default: ${DEFAULT_RECEIVER}`)))
    .option('--set <path=value>', 'changes a field of the sample; may be repeated', collect)
    .option('--file <file>', 'sends the bytes of this file, and no sample')
    .option('--times <number>', 'how many deliveries, each of another resource', toCount, 1)
    .option('--concurrency <number>', 'how many at once', toCount, 1)
    .addOption(new Option('--fault <name>', faults.join('; ')).choices(Object.keys(FAULTS)))
    .option('--yes', 'sends to other hosts than this one without a question')
}

/**
 * The emulator that signs and sends, unless a flag says where to send and with which secret, or asks for what only this
 * command sends.
 */
function findEmulator(config: HooklayerConfig | undefined, flags: TriggerFlags) {
  const isOwnSending = [flags.to, flags.secret, flags.secretEnv, flags.file, flags.fault].some(Boolean)
  const url = config?.management?.url ?? process.env.CL_API_URL
  return isOwnSending || !url ? undefined : { ...readCredentials(config), url }
}

async function triggerThere(
  context: CommandContext,
  emulator: CredentialsOptions & { readonly url: string },
  topic: string,
  flags: TriggerFlags,
): Promise<ExitName> {
  const changes = readChanges(flags.set ?? [])
  const trigger = await connectToEmulator(emulator, context.signal)
  await checkFields(topic, changes, context.output)
  const send = async () => {
    const calls = await trigger(topic, changes)
    if (calls.length === 0) throw new CliError('FOUND_WRONG', `${topic}: the emulator has no webhook that it can call.`)
    return calls
  }
  const sendings = Array.from({ length: flags.times }, () => ({ send, isExpected: isAccepted }))
  return sendAll(context, sendings, flags.concurrency)
}

async function createDeliveries(topic: string, secret: string, flags: TriggerFlags): Promise<TestDelivery[]> {
  const { times, file, set = [] } = flags
  if (file !== undefined && set.length > 0) throw new CliError('USAGE', 'Give --set or --file, and not both.')
  const changes = readChanges(set)
  const sample = await createDelivery(topic, { secret, resource: changes })
  if (file !== undefined) {
    const body = Uint8Array.from(await readInputFile(file, '--file'))
    const headers = { 'x-commercelayer-signature': await sign(body, secret), 'content-length': String(body.length) }
    return Array.from({ length: times }, () => ({ ...sample, headers: mergeHeaders(sample.headers, headers), body }))
  }
  if (times === 1) return [sample]
  return Promise.all(
    Array.from({ length: times }, (_, i) => createDelivery(topic, { secret, resource: { ...toId(i), ...changes } })),
  )
}

/** Another resource for each delivery: the same bytes are the same event. */
function toId(i: number): { readonly id: string } {
  return { id: `hkl${String(i).padStart(7, '0')}` }
}

function mergeHeaders(headers: Readonly<Record<string, string>>, replaced: Readonly<Record<string, string>>) {
  const others = Object.entries(headers).filter(([name]) => !(name.toLowerCase() in replaced))
  return { ...Object.fromEntries(others), ...replaced }
}

async function sendAll(
  { output }: CommandContext,
  sendings: readonly Sending[],
  concurrency: number,
): Promise<ExitName> {
  const progress = output.progress('Sent', sendings.length)
  const queue = sendings.values()
  let [sent, accepted, wrong] = [0, 0, 0]
  const work = async () => {
    for (const { send, isExpected } of queue) {
      for (const answer of await send()) {
        sent += 1
        if (isAccepted(answer)) accepted += 1
        if (!isExpected(answer)) wrong += 1
        output.result(answer, describeAnswer(answer))
      }
      progress.update(sent)
    }
  }
  try {
    await Promise.all(Array.from({ length: concurrency }, work))
  } finally {
    progress.end()
  }
  if (sent > 1) output.info(`${sent} sent, ${accepted} accepted, ${sent - accepted} not.`)
  return wrong === 0 ? 'OK' : 'FOUND_WRONG'
}

function isAccepted({ status }: Answer): boolean {
  return isSuccess(status)
}

/** A forged delivery must be refused, and nobody can answer one that was cut. */
function isExpected(answer: Answer, { fault }: PlannedDelivery): boolean {
  if (fault === 'cut') return true
  return isAccepted(answer) !== (fault === 'wrong-signature' || fault === 'other-topic')
}

async function send(plan: PlannedDelivery, url: URL, signal: AbortSignal): Promise<Answer> {
  const { topic, headers } = plan.delivery
  const startedAt = performance.now()
  const body = createBody(plan)
  const finish = (status: number, answer: string) => {
    return { topic, url: url.href, status, answer, durationMs: Math.round(performance.now() - startedAt) }
  }
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: body instanceof Uint8Array ? headers : withoutLength(headers),
      body,
      duplex: 'half',
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    } as RequestInit)
    return finish(response.status, await readAnswer(response))
  } catch (error) {
    if (plan.fault === 'cut') return finish(0, 'cut on purpose')
    if (signal.aborted || !(error instanceof Error && error.name === 'TimeoutError')) throw error
    throw new CliError('UNREACHABLE', `${url.host} did not answer within ${TIMEOUT_MS / 1000} seconds.`)
  }
}

/** A body that is a stream has no length that is known before. */
function withoutLength(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length'))
}

function describeAnswer(answer: Answer): string {
  const { topic, url, status, answer: text, durationMs } = answer
  const shown = paint(isAccepted(answer) ? 'green' : 'red', String(status || '—'))
  return `${topic} → ${url}: ${shown} ${escapeText(text)} (${durationMs} ms)`
}
