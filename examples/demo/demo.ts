import type { AddressInfo } from 'node:net'
import express from 'express'
import { createReceiver } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createDelivery } from 'hooklayer/testing'
import pc from 'picocolors'

// Each webhook of Commerce Layer has one topic and a shared secret of its own.
const secrets = {
  'orders.place': 'f0e1d2c3b4a5968778695a4b3c2d1e0f',
  'orders.destroy': '00112233445566778899aabbccddeeff',
  'customers.create': '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  'spaceships.launch': 'ffeeddccbbaa99887766554433221100',
}

// 1. A receiver with a handler for each topic. What it logs and what its handlers see is kept for the transcript.
const notes: string[] = []
const saw = (text: string) => notes.push(`the handler saw  ${text}`)
const log = (line: string) => notes.push(`the log says     ${line}`)
const receiver = createReceiver({ secrets, logger: { debug() {}, info() {}, warn: log, error: log } })

receiver.on('orders.place', ({ resource: order }) => {
  saw(
    `an order of ${order.customer?.email}: ${order.line_items?.length} line items, ${order.formatted_total_amount_with_taxes}`,
  )
})
receiver.on('customers.create', ({ resource: customer }) => saw(`the customer ${customer.email}`))
receiver.on('orders.destroy', ({ resource: order }) => saw(`that order ${order.id} is gone`))

// 2. An Express app that hands it every request to /webhooks.
const app = express()
app.use('/webhooks', createExpressMiddleware(receiver))
const server = app.listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`

// 3. Deliveries, signed and written as Commerce Layer does it; the last three are not what they claim to be.
const line_items = Array.from({ length: 16 }, (_, i) => ({ name: `Shirt ${i + 1}`, quantity: 2 }))
const order = await createDelivery('orders.place', { secret: secrets['orders.place'], resource: { line_items } })
const customer = await createDelivery('customers.create', { secret: secrets['customers.create'] })
const destroyed = await createDelivery('orders.destroy', { secret: secrets['orders.destroy'] })
const launch = await createDelivery('spaceships.launch', { secret: secrets['spaceships.launch'] })
const forged = await createDelivery('orders.place', { secret: 'a guess' })
const replayed = { ...customer, headers: { ...customer.headers, 'X-CommerceLayer-Topic': 'orders.place' } }
const half = order.body.slice(0, order.body.length / 2)
const truncated = { headers: { ...order.headers, 'content-length': String(half.length) }, body: half }

const included = JSON.parse(new TextDecoder().decode(order.body)).included.length
const script = [
  { what: `orders.place: an order with ${included} included resources`, delivery: order, expected: '200 handled' },
  { what: 'customers.create: a customer', delivery: customer, expected: '200 handled' },
  { what: 'orders.destroy: nothing but an id', delivery: destroyed, expected: '200 handled' },
  { what: 'spaceships.launch: a topic without a handler', delivery: launch, expected: '200 ignored' },
  { what: 'orders.place: signed with a guessed secret', delivery: forged, expected: '401 SIGNATURE_MISMATCH' },
  {
    what: 'orders.place: a genuine customer, replayed as an order',
    delivery: replayed,
    expected: '401 SIGNATURE_MISMATCH',
  },
  { what: 'orders.place: half of a genuine body', delivery: truncated, expected: '401 SIGNATURE_MISMATCH' },
]

console.log(`\nA receiver is listening on ${url}. Commerce Layer delivers:\n`)
let surprises = 0
for (const { what, delivery, expected } of script) {
  const answer = await fetch(url, { method: 'POST', headers: delivery.headers, body: delivery.body })
  const { outcome, error } = (await answer.json()) as { outcome?: string; error?: { code: string } }
  const decided = `${answer.status} ${outcome ?? error?.code}`
  const color = decided !== expected ? pc.bgRed : answer.ok ? pc.green : pc.yellow
  console.log(`${what}\n  ${color(`answered         ${decided}`)}`)
  for (const note of notes.splice(0)) console.log(`  ${note}`)
  if (decided !== expected) {
    surprises += 1
    console.log(pc.red(`  expected         ${expected}`))
  }
}
server.close()

if (surprises > 0) {
  console.log(pc.red(`\n${surprises} of ${script.length} deliveries ended otherwise than expected.`))
  process.exitCode = 1
} else {
  console.log(`\nAll ${script.length} deliveries ended as expected. The code is in examples/demo/demo.ts.`)
}
