import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'

// `next build` loads this file, without the variables: nothing connects, or reads a secret, before a delivery arrives.
export const inbox = createBullmqInbox({ postgres: process.env.DATABASE_URL ?? 'postgres://localhost' })

export const receiver = createReceiver({ secrets: (topic) => secretsFromEnv()[topic], inbox })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})
