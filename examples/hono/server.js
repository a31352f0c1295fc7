import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createReceiver } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const handle = createFetchHandler(receiver)

const app = new Hono()
app.post('/webhooks', (c) => handle(c.req.raw))
app.post('/echo', async (c) => c.json(await c.req.json()))

const server = serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, () => console.log('Listening'))

process.once('SIGTERM', () => server.close(() => receiver.close()))
