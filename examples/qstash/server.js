import { gunzipSync, gzipSync } from 'node:zlib'
import { serve } from '@hono/node-server'
import { Client, Receiver as Verifier } from '@upstash/qstash'
import { Hono } from 'hono'
import { createReceiver, isWebhookError, PermanentError } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'

const { CL_SECRET_ORDERS__PLACE, ERP_URL = '', PUBLIC_URL, PORT = 3000 } = process.env
const url = `${PUBLIC_URL}/deliveries` // QStash calls it
const qstash = new Client() // it reads its token from the environment, and the verifier its keys
const verifier = new Verifier()

/** @type {Pick<import('hooklayer').Inbox, 'put'>} */
const inbox = {
  async put({ id, topic, body, receivedAt }) {
    const message = { topic, receivedAt, body: gzipSync(body).toString('base64') }
    const { deduplicated } = await qstash.publishJSON({ url, body: message, deduplicationId: id })
    return deduplicated ? 'duplicate' : 'stored'
  },
}
const receiver = createReceiver({ secrets: { 'orders.place': CL_SECRET_ORDERS__PLACE }, inbox })

receiver.on('orders.place', async ({ resource: { number }, id }, { signal }) => {
  const headers = { 'idempotency-key': id } // QStash may call twice
  const { ok, status } = await fetch(ERP_URL, { method: 'POST', headers, body: JSON.stringify({ number }), signal })
  if (status === 422) throw new PermanentError('The ERP does not want this order.')
  if (!ok) throw new Error(`The ERP answered ${status}.`)
})

const handle = createFetchHandler(receiver)

const app = new Hono()
app.post('/webhooks', (c) => handle(c.req.raw))
app.post('/deliveries', async (c) => {
  const text = await c.req.text()
  const signature = c.req.header('upstash-signature') ?? ''
  const isGenuine = await verifier.verify({ signature, body: text, url }).catch(() => false)
  if (!isGenuine) return c.body(null, 401)
  const { topic, receivedAt, body } = JSON.parse(text)
  try {
    await receiver.handleStored({
      topic,
      receivedAt: new Date(receivedAt),
      body: gunzipSync(Buffer.from(body, 'base64'), { maxOutputLength: 64 * 1024 * 1024 }),
    })
    return c.body(null, 200)
  } catch (error) {
    if (isWebhookError(error) && error.retryable) return c.body(null, 500)
    // With this answer QStash does not try again, and moves the message to its dead letter queue.
    return new Response(null, { status: 489, headers: { 'Upstash-NonRetryable-Error': 'true' } })
  }
})

const server = serve({ fetch: app.fetch, port: Number(PORT) }, () => console.log('Listening'))

process.once('SIGTERM', () => server.close(() => receiver.close()))
