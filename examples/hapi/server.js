import Hapi from '@hapi/hapi'
import { createReceiver } from 'hooklayer'
import { createNodeListener } from 'hooklayer/node'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const listener = createNodeListener(receiver)

const server = Hapi.server({ port: process.env.PORT ?? 3000 })
server.route({
  method: 'POST',
  path: '/webhooks',
  // The receiver reads the body itself, and has a limit of its own.
  options: { payload: { output: 'stream', parse: false, maxBytes: Number.MAX_SAFE_INTEGER } },
  async handler({ raw }, h) {
    await listener(raw.req, raw.res)
    return h.abandon
  },
})
server.route({ method: 'POST', path: '/echo', handler: ({ payload }) => payload })
await server.start()

process.once('SIGTERM', () => server.stop().then(() => receiver.close()))
