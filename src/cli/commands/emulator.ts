import { createInterface } from 'node:readline'
import type { Emulator } from 'hooklayer/emulator'
import { CliError } from '../cli-error.ts'
import { type CommandContext, type DefineCommand, describeExamples } from '../command.ts'
import {
  addSecretOptions,
  addShowSecretsOption,
  findEnvSecret,
  maskSecret,
  readSecrets,
  type SecretFlags,
  toVariable,
} from '../configuration/secrets.ts'
import { readTopics } from '../configuration/topics-option.ts'
import { addEmulatorOptions, type EmulatorFlags, startEmulator, subscribeTopic } from '../dev/emulator-flags.ts'
import { reportCall } from '../dev/report-call.ts'
import type { ExitName } from '../exit-codes.ts'
import { escapeText } from '../terminal/output.ts'

interface Flags extends EmulatorFlags, SecretFlags {
  readonly organization?: string
  readonly clientId?: string
  readonly clientSecret?: string
  readonly webhook?: string
  readonly topic?: readonly string[]
  readonly send?: boolean
  readonly showSecrets?: boolean
}

export const define: DefineCommand = (command, run) => {
  addShowSecretsOption(
    addSecretOptions(addEmulatorOptions(command, { port: 'a free port', forward: 'none, and no webhooks' })),
  )
    .option('--organization <slug>', 'the slug of the organization; default: my-org')
    .option('--client-id <text>', 'the client id of the application; default: random')
    .option('--client-secret <text>', 'the client secret of the application; default: random')
    .option('--webhook <url>', 'the same as --forward')
    .option('--topic <topic>', 'the same as --topics', readTopics)
    .option('--send', 'delivers one sample of each topic, prints the answers and stops')
    .addHelpText(
      'after',
      `${describeExamples(
        [
          'One order to a receiver that has the same secret',
          'emulator --forward http://127.0.0.1:3000/webhooks --send',
        ],
        ['The API on port 4000, with its credentials', 'emulator --port 4000 --show-secrets'],
      )}

While it runs, type a topic and Enter (orders.place) to call the webhooks of that topic.`,
    )
    .action(run((context, flags: Flags) => runEmulator(context, flags)))
}

async function runEmulator(context: CommandContext, flags: Flags): Promise<ExitName> {
  const { output, signal } = context
  const forward = flags.forward ?? flags.webhook
  if (flags.send && forward === undefined) {
    throw new CliError('USAGE', '`--send` needs `--webhook` or `--forward`, the URL to send to.')
  }
  const topics = [...(flags.topics ?? []), ...(flags.topic ?? [])]
  const { organization, clientId, clientSecret } = flags
  const emulator = await startEmulator(flags, {
    ...{ organization, clientId, clientSecret },
    secret: await readGivenSecret(flags, signal),
    logger: { warn: (message) => output.warn(escapeText(message)) },
    onCall: (call) => {
      void reportCall(call, {}).then((report) => {
        // A reason phrase is what the endpoint wrote, also what a terminal obeys.
        const { response_code, response_message } = call.eventCallback
        const answer = escapeText([response_code, response_message].filter(Boolean).join(' '))
        output.result(report, `${report.topic} → ${report.url}: ${answer}`)
      })
    },
  })
  try {
    for (const topic of forward === undefined ? [] : topics.length > 0 ? topics : ['orders.place']) {
      subscribe(context, emulator, topic, String(forward), flags)
    }
    if (flags.send) return await sendOnce(emulator)
    output.result(describeListening(emulator, flags), describeEmulator(emulator, flags))
    await triggerLines(context, emulator)
    return 'OK'
  } finally {
    await emulator.close()
  }
}

/** The secret of all webhooks, where a flag gives one. */
async function readGivenSecret(flags: SecretFlags, signal: AbortSignal): Promise<string | undefined> {
  if (flags.secret === undefined && flags.secretEnv === undefined) return undefined
  return (await readSecrets('orders.place', flags, signal))[0]
}

function subscribe({ output }: CommandContext, emulator: Emulator, topic: string, url: string, flags: Flags) {
  const isGiven = flags.secret !== undefined || flags.secretEnv !== undefined
  const secret = isGiven ? undefined : findEnvSecret(topic)
  const { shared_secret } = subscribeTopic(emulator, topic, url, { secret })
  const variable = `${toVariable(topic)}=${maskSecret(shared_secret, flags)}`
  output.info(`${topic}: a webhook calls ${url}. Start the receiver with ${variable}`)
}

/** Delivers each topic once, without retries. */
async function sendOnce(emulator: Emulator): Promise<ExitName> {
  for (const { topic } of emulator.webhooks) await emulator.trigger(topic)
  await new Promise(setImmediate) // The last line is printed.
  const isAccepted = emulator.eventCallbacks.every(({ response_code }) => response_code?.startsWith('2'))
  return isAccepted ? 'OK' : 'FOUND_WRONG'
}

/** Triggers each topic that comes on stdin, until the command is stopped. */
function triggerLines({ output, signal }: CommandContext, emulator: Emulator): Promise<void> {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const topic = line.trim()
    if (topic === '') return
    emulator.trigger(topic).catch((error: Error) => output.warn(escapeText(error.message)))
  })
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      lines.close()
      resolve()
    })
  })
}

function describeListening({ url, organization, clientId, clientSecret }: Emulator, flags: Flags) {
  return { type: 'listening', url, organization, clientId, clientSecret: maskSecret(clientSecret, flags) }
}

function describeEmulator({ url, organization, clientId, clientSecret }: Emulator, flags: Flags): string {
  const secret = maskSecret(clientSecret, flags)
  const credentials = JSON.stringify({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret })
  return `A local Commerce Layer listens at ${url}

  organization   ${organization}
  client id      ${clientId}
  client secret  ${secret}${flags.showSecrets ? '' : ' (--show-secrets prints it)'}

To get a token and create a webhook:

  TOKEN=$(curl -s ${url}/oauth/token -H 'Content-Type: application/json' -d '${credentials}' \\
    | node -p 'JSON.parse(require("fs").readFileSync(0)).access_token')
  curl -s ${url}/api/webhooks -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/vnd.api+json' \\
    -d '{"data":{"type":"webhooks","attributes":{"topic":"orders.place","callback_url":"http://127.0.0.1:3000/webhooks"}}}'

The same with the SDK:

  const local = (url, init) => fetch(Object.assign(new URL(url), { protocol: 'http:', host: '${new URL(url).host}' }), init)
  const cl = CommerceLayer({ organization: '${organization}', accessToken, fetch: local })
  await cl.webhooks.create({ topic: 'orders.place', callback_url: 'http://127.0.0.1:3000/webhooks' })

Type a topic and Enter (orders.place) to call its webhooks. Press Ctrl-C to stop.`
}
