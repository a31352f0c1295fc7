/**
 * A process of a shop: `program.ts <receive|work|hang> <file of the inbox>`. OpenTelemetry's SDK is started before it.
 * It reports its port, or that a handler has begun.
 */
import type { AddressInfo } from 'node:net'
import { trace } from '@opentelemetry/api'
import express from 'express'
import { createReceiver, createWorker } from 'hooklayer'
import { createExpressMiddleware } from 'hooklayer/express'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createOpenTelemetryObserver } from 'hooklayer/opentelemetry'
import { SECRET } from '../deliveries.ts'

const [role, file = ''] = process.argv.slice(2)
const inbox = createSqliteInbox({ file, leaseMs: 500 })
const observers = [createOpenTelemetryObserver({ inbox })]
const receiver = createReceiver({ secrets: SECRET, inbox, observers })

receiver.on('orders.place', { name: 'erp' }, async () => {
  await trace.getTracer('shop').startActiveSpan('reserve stock', async (span) => {
    await new Promise((resolve) => setTimeout(resolve, 5))
    span.end()
  })
  process.send?.('handling')
  if (role === 'hang') await new Promise(() => {})
})

if (role === 'receive') {
  const app = express().post('/webhooks', createExpressMiddleware(receiver))
  const server = app.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
} else {
  createWorker({ receiver, inbox })
  process.send?.('working')
}
