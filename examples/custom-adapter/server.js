import { createServer } from 'node:http2'
import { createReceiver } from 'hooklayer'
import { createHttp2Listener } from './http2-adapter.js'

const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE } })

receiver.on('orders.place', ({ resource: order }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
})

const sessions = new Set()
const server = createServer()
server.on('session', (session) => {
  sessions.add(session)
  session.once('close', () => sessions.delete(session))
})
server.on('stream', createHttp2Listener(receiver))
server.listen(process.env.PORT ?? 3000, () => console.log('Listening'))

process.once('SIGTERM', () => {
  server.close(() => receiver.close())
  for (const session of sessions) session.close()
})
