import { createReceiver } from 'hooklayer'
import { createLambdaHandler } from 'hooklayer/lambda'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

export const handler = createLambdaHandler(receiver)
