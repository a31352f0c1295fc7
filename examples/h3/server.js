import { H3, serve } from 'h3'
import { createReceiver } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const handle = createFetchHandler(receiver)

const app = new H3()
app.post('/webhooks', (event) => handle(event.req)) // above what reads the body
app.post('/echo', (event) => event.req.json())

const server = serve(app, { port: process.env.PORT ?? 3000, gracefulShutdown: false })

process.once('SIGTERM', () => server.close().then(() => receiver.close()))
