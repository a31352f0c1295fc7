import { createReceiver } from 'hooklayer'
import { createRouteHandler } from 'hooklayer/next'

// A function, because `next build` loads this file, and a map of secrets would be checked there and then.
const receiver = createReceiver({
  secrets: (topic) => process.env[`CL_SECRET_${topic.replace('.', '_').toUpperCase()}`],
})

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

export const POST = createRouteHandler(receiver)
