import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createRouteHandler } from 'hooklayer/next'

// `next build` loads this file without the secrets. This function is called when a delivery arrives.
const receiver = createReceiver({ secrets: (topic) => secretsFromEnv()[topic] })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

export const POST = createRouteHandler(receiver)
