import { createReceiver, type Receiver } from 'hooklayer'
import { createFetchHandler } from 'hooklayer/fetch'

interface Env {
  readonly CL_SECRET_ORDERS__PLACE: string
}

let receiver: Receiver | undefined

function receiverOf(env: Env): Receiver {
  return createReceiver({ secrets: { 'orders.place': env.CL_SECRET_ORDERS__PLACE } }).on(
    'orders.place',
    ({ resource: order }) => console.log(`${order.customer_email} placed order ${order.number}`),
  )
}

// biome-ignore lint/style/noDefaultExport: Workers look for it
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname !== '/webhooks') return new Response('Not found', { status: 404 })
    receiver ??= receiverOf(env) // once for each isolate: a Worker gets its secrets with the request
    return createFetchHandler(receiver)(request)
  },
}
