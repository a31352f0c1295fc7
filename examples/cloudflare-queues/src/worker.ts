import type { MessageBatch, Queue, R2Bucket } from '@cloudflare/workers-types'
import { createReceiver, type Inbox, isWebhookError, PermanentError, type Receiver } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'

/** A message ends at 128 KB, and an order can be larger: bodies are in R2. */
interface Message {
  readonly id: string
  readonly topic: string
  readonly receivedAt: string
}
interface Env {
  readonly CL_SECRET_ORDERS__PLACE: string
  readonly ERP_URL: string
  readonly BODIES: R2Bucket
  readonly DELIVERIES: Queue<Message>
  readonly DEAD_LETTERS: Queue<Message>
}
let receiver: Receiver | undefined

function receiverOf({ CL_SECRET_ORDERS__PLACE, ERP_URL, BODIES, DELIVERIES }: Env): Receiver {
  const inbox: Pick<Inbox, 'put'> = {
    async put({ id, topic, receivedAt, body }) {
      await BODIES.put(id, body)
      await DELIVERIES.send({ id, topic, receivedAt: receivedAt.toISOString() })
      return 'stored'
    },
  }
  const secrets = { 'orders.place': CL_SECRET_ORDERS__PLACE }
  return createReceiver({ secrets, inbox }).on('orders.place', async ({ resource: { number }, id }, { signal }) => {
    const headers = { 'idempotency-key': id } // a queue may hand out a message twice
    const { ok, status } = await fetch(ERP_URL, { method: 'POST', headers, body: JSON.stringify({ number }), signal })
    if (status === 422) throw new PermanentError('The ERP does not want this order.')
    if (!ok) throw new Error(`The ERP answered ${status}.`)
  })
}

// biome-ignore lint/style/noDefaultExport: Workers look for it
export default {
  fetch(request: Request, env: Env): Promise<Response> {
    receiver ??= receiverOf(env)
    return createFetchHandler(receiver)(request)
  },
  async queue({ messages }: MessageBatch<Message>, env: Env): Promise<void> {
    receiver ??= receiverOf(env)
    for (const message of messages) {
      const { id, topic, receivedAt } = message.body
      const body = await (await env.BODIES.get(id))?.bytes() // none if the message came twice and was handled
      try {
        if (body) await receiver.handleStored({ topic, receivedAt: new Date(receivedAt), body })
      } catch (error) {
        const mayPass = isWebhookError(error) && error.retryable
        if (mayPass) message.retry({ delaySeconds: Math.min(43_200, 5 * 2 ** message.attempts) })
        else await env.DEAD_LETTERS.send(message.body).then(() => message.ack()) // its body stays in R2
        continue
      }
      await env.BODIES.delete(id)
      message.ack()
    }
  },
}
