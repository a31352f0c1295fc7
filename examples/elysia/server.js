import { Elysia } from 'elysia'
import { createReceiver } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const handle = createFetchHandler(receiver)

const app = new Elysia()
  .post('/webhooks', ({ request }) => handle(request), { parse: 'none' })
  .post('/echo', ({ body }) => body)
  .listen(process.env.PORT ?? 3000)

process.once('SIGTERM', () => app.stop().then(() => receiver.close()))
