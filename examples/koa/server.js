import { createReceiver } from 'hooklayer'
import { createKoaMiddleware } from 'hooklayer/koa'
import Koa from 'koa'
import mount from 'koa-mount'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const app = new Koa()
app.use(mount('/webhooks', createKoaMiddleware(receiver))) // above any body parser
app.use((context) => {
  context.body = 'The shop'
})

const server = app.listen(process.env.PORT ?? 3000, () => console.log('Listening'))

process.once('SIGTERM', () => server.close(() => receiver.close()))
