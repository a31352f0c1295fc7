#!/usr/bin/env node
import { createInterface } from 'node:readline'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import { resourceOf } from '../commerce-layer/topics.ts'
import { getUsualIncludes } from '../wire/samples/usual-includes.ts'
import { createEmulator, type Emulator } from './emulator.ts'
import { computeRetryDelay } from './sender/sender.ts'

const HELP = `A local Commerce Layer: its API for webhooks, event callbacks and events, and calls to the webhooks.

  npx hooklayer-emulator [options]

  --port <number>           the port on 127.0.0.1; default: a free port
  --organization <slug>     the slug of the organization; default: my-org
  --client-id <text>        default: random
  --client-secret <text>    default: random
  --webhook <url>           creates webhooks that call this URL
  --topic <topic>           their topic; may be repeated; default: orders.place
  --secret <text>           the shared secret of all webhooks; default: random
  --send                    delivers one sample of each topic, prints the answers and stops
  --speed <number>          divides the delays between retries; default: 1
  --help                    prints this text

Sends an order to a receiver that was started with the same secret:

  npx hooklayer-emulator --webhook http://127.0.0.1:3000/webhooks --secret <text> --send

While it runs, type a topic and Enter (orders.place) to deliver a sample resource to its webhooks.`

const OPTIONS = {
  port: { type: 'string' },
  organization: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret': { type: 'string' },
  webhook: { type: 'string' },
  topic: { type: 'string', multiple: true },
  secret: { type: 'string' },
  send: { type: 'boolean', default: false },
  speed: { type: 'string', default: '1' },
  help: { type: 'boolean' },
} as const

async function run(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS })
  if (values.help) return console.log(HELP)
  const speed = Number(values.speed)
  if (!(speed > 0)) throw new TypeError('`--speed` must be a number over 0.')
  if (values.send && !values.webhook) throw new TypeError('`--send` needs `--webhook`, the URL to send to.')
  const emulator = await createEmulator({
    port: values.port === undefined ? undefined : Number(values.port),
    organization: values.organization,
    clientId: values['client-id'],
    clientSecret: values['client-secret'],
    secret: values.secret,
    retryDelayMs: (attempt) => computeRetryDelay(attempt) / speed,
    logger: { warn: (message) => console.log(message) },
  })
  const { webhook, topic: topics = ['orders.place'] } = values
  try {
    for (const topic of webhook ? topics : []) await subscribe(emulator, topic, String(webhook))
    if (values.send) return await sendOnce(emulator, topics)
  } catch (error) {
    await emulator.close()
    throw error
  }
  console.log(describeEmulator(emulator))
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => void trigger(emulator, line.trim()))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      lines.close()
      void emulator.close()
    })
  }
}

/** Creates a webhook that includes what the dashboard of Commerce Layer suggests. */
async function subscribe(emulator: Emulator, topic: string, callback_url: string): Promise<void> {
  const { access_token } = await ask(emulator, '/oauth/token', {
    grant_type: 'client_credentials',
    client_id: emulator.clientId,
    client_secret: emulator.clientSecret,
  })
  const attributes = { topic, callback_url, include_resources: getUsualIncludes(resourceOf(topic)) }
  const { errors } = await ask(emulator, '/api/webhooks', { data: { type: 'webhooks', attributes } }, access_token)
  if (errors) throw new Error(`The webhook was refused: ${errors[0]?.detail}`)
  const { shared_secret } = emulator.webhooks.at(-1) ?? {}
  const name = `CL_SECRET_${topic.replace('.', '__').toUpperCase()}`
  console.log(`${topic}: a webhook calls ${callback_url}. Start the receiver with ${name}=${shared_secret}`)
}

interface ApiAnswer {
  readonly access_token?: string
  readonly errors?: readonly { readonly detail?: string }[]
}

async function ask(emulator: Emulator, path: string, body: object, token?: string): Promise<ApiAnswer> {
  const headers = { 'content-type': 'application/vnd.api+json', ...(token && { authorization: `Bearer ${token}` }) }
  const answer = await fetch(`${emulator.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await answer.json()) as ApiAnswer
}

/** Delivers each topic once, without retries. The exit code is 1 if one is not answered with 2xx. */
async function sendOnce(emulator: Emulator, topics: readonly string[]): Promise<void> {
  for (const topic of topics) await trigger(emulator, topic)
  const isAccepted = emulator.eventCallbacks.every(({ response_code }) => response_code?.startsWith('2'))
  if (!isAccepted) process.exitCode = 1
  await emulator.close()
}

async function trigger(emulator: Emulator, topic: string): Promise<void> {
  if (topic === '') return
  try {
    const callbacks = await emulator.trigger(topic)
    for (const { callback_url, response_code, response_message } of callbacks) {
      const answer = [response_code, response_message].filter(Boolean).join(' ')
      // A reason phrase is what the endpoint wrote, also what a terminal obeys.
      console.log(`${topic} → ${callback_url}: ${stripVTControlCharacters(answer).replace(/\p{Cc}/gu, '')}`)
    }
  } catch (error) {
    console.error(toMessage(error))
  }
}

function describeEmulator({ url, organization, clientId, clientSecret }: Emulator): string {
  const credentials = JSON.stringify({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  })
  return `A local Commerce Layer listens at ${url}

  organization   ${organization}
  client id      ${clientId}
  client secret  ${clientSecret}

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

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

run().catch((error) => {
  console.error(toMessage(error))
  process.exitCode = 1
})
