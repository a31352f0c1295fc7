import Fastify from 'fastify'
import { createReceiver } from 'hooklayer'
import { createFastifyPlugin } from 'hooklayer/fastify'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const app = Fastify()
app.register(createFastifyPlugin(receiver), { prefix: '/webhooks' })
app.post('/echo', async (request) => request.body) // parsed as usual

await app.listen({ port: Number(process.env.PORT ?? 3000), host: '0.0.0.0' })
console.log('Listening')

process.once('SIGTERM', async () => {
  await app.close()
  await receiver.close()
})
