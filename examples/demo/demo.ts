/**
 * `npm run demo` starts this by `hooklayer dev`, which is a local Commerce Layer. Its variables lead to it, and its lines
 * are in between.
 */
import express from 'express'
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createManagement, describePlan } from 'hooklayer/management'
import { createDelivery } from 'hooklayer/testing'
import { chapter, check, printSummary, say, until } from './transcript.ts'
import { connectToEmulator } from './trigger.ts'

const { PORT, CL_API_URL: url, CL_ORGANIZATION = '', CL_CLIENT_ID = '', CL_CLIENT_SECRET = '' } = process.env
const trigger = await connectToEmulator()

chapter('A receiver in an Express app, with the secrets of its environment')
const secrets = secretsFromEnv()
const receiver = createReceiver({
  secrets,
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
const callbackUrl = `http://127.0.0.1:${PORT}/webhooks`
const server = app.listen(Number(PORT), '127.0.0.1')

chapter('It listens, so the first order comes')
await until(() => handled.length === 1)
check('orders handled', handled.length, 1)

chapter('What its handlers need is added to the webhooks, through the API')
const management = createManagement({
  ...{ url, organization: CL_ORGANIZATION, clientId: CL_CLIENT_ID, clientSecret: CL_CLIENT_SECRET },
})
const plan = await management.plan(receiver, { callbackUrl })
say(describePlan(plan))
await management.apply(plan)
const again = await management.plan(receiver, { callbackUrl })
check('a second plan has', again.steps.map(({ action }) => action).join(', '), 'keep, keep')

chapter('A customer signs up and places an order')
await trigger('customers.create')
const [first] = await trigger('orders.place', { customer: { email: 'ada@example.com' } })
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
const customer = await createDelivery('customers.create', { secret: String(secrets['customers.create']?.[0]) })
const replayed = { ...customer, headers: { ...customer.headers, 'X-CommerceLayer-Topic': 'orders.place' } }
check('a genuine customer, replayed as an order', await post(replayed), '401 SIGNATURE_MISMATCH')

chapter('A handler fails twice, and the second retry succeeds')
remainingFailures = 2
await trigger('orders.place', { id: 'SecondOrdr' })
await until(() => handled.includes('SecondOrdr'))
const responseCodes: string[] = []
for await (const { response_code, webhook } of management.eventCallbacks.list({ topic: 'orders.place' })) {
  responseCodes.push(String(response_code))
  say(`event callback: ${webhook?.topic} ${response_code}`)
}
check('the endpoint answered', responseCodes.join(', '), '200, 200, 500, 500, 200')

chapter('An outage: after 30 consecutive failures Commerce Layer stops sending')
const since = new Date()
const readCircuit = async () => (await management.health()).find(({ topic }) => topic === 'orders.place')?.circuit
remainingFailures = Number.POSITIVE_INFINITY
for (const id of ['OutageOrdA', 'OutageOrdB', 'OutageOrdC', 'OutageOrdD']) await trigger('orders.place', { id })
await until(async () => (await readCircuit()) === 'open')
for (const { topic, circuit, failuresLeft } of await management.health()) {
  say(`health: ${topic}, circuit ${circuit}, ${failuresLeft} failures left`)
}
check('the circuit of orders.place is', await readCircuit(), 'open')

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
const [last] = await trigger('orders.place', { id: 'AfterwardA' })
check('the next order is answered', last?.response_code, '200')

server.close()
printSummary('examples/demo/demo.ts')
