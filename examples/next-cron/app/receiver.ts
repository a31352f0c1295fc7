import { createReceiver } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'

// `next build` loads this file: nothing is connected, and no secret asked for, before a delivery has come.
export const inbox = createBullmqInbox({ postgres: { connectionString: process.env.DATABASE_URL } })

export const receiver = createReceiver({
  secrets: (topic) => process.env[`CL_SECRET_${topic.replace('.', '_').toUpperCase()}`],
  inbox,
})

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})
