import { setTimeout } from 'node:timers/promises'
import express from 'express'
import { createReceiver, createWorker } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'

const inbox = createSqliteInbox({ file: 'deliveries.db', leaseMs: 5000 })
const receiver = createReceiver({ secrets: { 'orders.place': process.env.CL_SECRET_ORDERS__PLACE }, inbox })

receiver.on('orders.place', async ({ resource: order }, { signal }) => {
  console.log(`${order.customer_email} placed order ${order.number}`)
  await setTimeout(1000, undefined, { signal }) // a slow ERP
  console.log(`The ERP has order ${order.number}`)
})

const worker = createWorker({ receiver, inbox })
const app = express()
app.use('/webhooks', createExpressMiddleware(receiver)) // above any body parser
const server = app.listen(process.env.PORT ?? 3000, () => console.log('Listening'))

process.once('SIGTERM', () => {
  server.close(async () => {
    await worker.stop({ timeoutMs: 20_000 }) // less than the platform waits before it kills
    await receiver.close()
    await inbox.close()
  })
})
