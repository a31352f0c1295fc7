import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'

// `next build` loads this file: it connects to nothing, and reads no secret, before a delivery arrives.
export const inbox = createBullmqInbox({ postgres: { connectionString: process.env.DATABASE_URL } })

export const receiver = createReceiver({ secrets: (topic) => secretsFromEnv()[topic], inbox })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})
