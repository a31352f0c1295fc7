import type { AddressInfo } from 'node:net'
import express from 'express'
import { createReceiver } from 'hooklayer'
import { createEmulator } from 'hooklayer/emulator'
import { createExpressMiddleware } from 'hooklayer/express'
import { createManagement, describePlan } from 'hooklayer/management'
import { createDelivery } from 'hooklayer/testing'
import { chapter, check, printSummary, say } from './transcript.ts'

chapter('A local Commerce Layer: its API, and retries after 20 ms instead of minutes')
const emulator = await createEmulator({ organization: 'demo-shop', retryDelayMs: () => 20 })
say(`listening on ${emulator.url}`)

chapter('A receiver in an Express app')
let secrets: Record<string, string | string[]> = {}
const receiver = createReceiver({
  secrets: (topic) => secrets[topic],
  logger: { debug() {}, info() {}, warn: (line) => say(`log: ${line}`), error: () => {} },
})

let remainingFailures = 0
const handled: string[] = []
receiver.on('orders.place', { include: ['customer', 'line_items'] }, ({ resource: order }) => {
  if (remainingFailures > 0) {
    remainingFailures -= 1
    throw new Error('the ERP does not answer')
  }
  handled.push(order.id)
  if (handled.length === 1)
    say(`handler: ${order.customer.email} placed an order of ${order.line_items.length} line items`)
})
receiver.on('customers.create', ({ resource: customer }) => say(`handler: a new customer, ${customer.email}`))

const app = express()
app.use('/webhooks', createExpressMiddleware(receiver))
const server = app.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const callbackUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`
say(`listening on ${callbackUrl}`)

chapter('Its webhooks, created through the API for its handlers; their secrets are in the answers')
const { url, organization, clientId, clientSecret } = emulator
const management = createManagement({ url, organization, clientId, clientSecret })
const plan = await management.plan(receiver, { callbackUrl })
say(describePlan(plan))
secrets = await management.apply(plan)
check('webhooks created', emulator.webhooks.length, 2)
const again = await management.plan(receiver, { callbackUrl })
check('a second plan has', again.steps.map(({ action }) => action).join(', '), 'keep, keep')

chapter('A customer signs up and places an order')
await emulator.trigger('customers.create')
const [first] = await emulator.trigger('orders.place', { customer: { email: 'ada@example.com' } })
check('answered', `${first?.response_code} ${first?.response_message}`, '200 OK')

chapter('Forged requests are refused')
const post = async ({ headers, body }: { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> }) => {
  const answer = await fetch(callbackUrl, { method: 'POST', headers, body })
  const { outcome, error } = (await answer.json()) as { outcome?: string; error?: { code: string } }
  return `${answer.status} ${outcome ?? error?.code}`
}
check(
  'an order signed with a guess',
  await post(await createDelivery('orders.place', { secret: 'fedcba9876543210fedcba9876543210' })),
  '401 SIGNATURE_MISMATCH',
)
const customer = await createDelivery('customers.create', { secret: String(secrets['customers.create']) })
const replayed = { ...customer, headers: { ...customer.headers, 'X-CommerceLayer-Topic': 'orders.place' } }
check('a genuine customer, replayed as an order', await post(replayed), '401 SIGNATURE_MISMATCH')

chapter('A handler fails twice, and the second retry succeeds')
remainingFailures = 2
await emulator.trigger('orders.place', { id: 'SecondOrdr' })
await emulator.settled()
const responseCodes: string[] = []
for await (const { response_code, webhook } of management.eventCallbacks.list({ topic: 'orders.place' })) {
  responseCodes.push(String(response_code))
  say(`event callback: ${webhook?.topic} ${response_code}`)
}
check('the endpoint answered', responseCodes.join(', '), '200, 500, 500, 200')

chapter('An outage: after 30 consecutive failures Commerce Layer stops sending')
const since = new Date()
remainingFailures = Number.POSITIVE_INFINITY
for (const id of ['OutageOrdA', 'OutageOrdB', 'OutageOrdC', 'OutageOrdD'])
  await emulator.trigger('orders.place', { id })
await emulator.settled()
for (const { topic, circuit, failuresLeft } of await management.health()) {
  say(`health: ${topic}, circuit ${circuit}, ${failuresLeft} failures left`)
}
check(
  'the circuit of orders.place is',
  emulator.webhooks.find(({ topic }) => topic === 'orders.place')?.circuit_state,
  'open',
)

chapter('The handler is fixed, and the missed events are recovered')
remainingFailures = 0
const before = handled.length
const recovery = await management.recover(receiver, {
  since,
  callbackUrl,
  resetCircuits: true,
  onResult: ({ topic, resource, result }) => say(`recover: ${topic} ${resource} ${result}`),
})
check('recovered', recovery.recovered, handled.length - before)
check('circuits reset', recovery.circuitsReset, 1)
const [last] = await emulator.trigger('orders.place', { id: 'AfterwardA' })
check('the next order is answered', last?.response_code, '200')

server.close()
await emulator.close()
printSummary('examples/demo/demo.ts')
