import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'
import { defineHandler } from 'nitro/h3'

// The secrets are read for each delivery, because a build may load this file without them.
const receiver = createReceiver({ secrets: (topic) => secretsFromEnv()[topic] })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const handle = createFetchHandler(receiver)

// biome-ignore lint/style/noDefaultExport: Nitro looks for it
export default defineHandler((event) => handle(event.req))
