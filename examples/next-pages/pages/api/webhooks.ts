import { createReceiver } from 'hooklayer'
import { createApiHandler } from 'hooklayer/next'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

export const config = { api: { bodyParser: false } } // Next reads this line without running the file: leave it as it is

// biome-ignore lint/style/noDefaultExport: Next looks for it
export default createApiHandler(receiver)
