/**
 * A shop's TypeScript against the packed tarball: `test/package/installs/installs.ts` compiles it as an ES module and as
 * CommonJS, by each compiler in each resolution mode. A type that is `any` accepts all, so a wrong field must fail too.
 */
import { createReceiver, type Handler, type ResourceOf, secretsFromEnv, type Topic, type WebhookEvent } from 'hooklayer'
import type { IdempotencyStore, Inbox, Observer, StoredDelivery } from 'hooklayer/drivers'
import { createEmulator } from 'hooklayer/emulator'
import { createExpressMiddleware } from 'hooklayer/express'
import { createFastifyPlugin } from 'hooklayer/fastify'
import { createFetchHandler } from 'hooklayer/fetch'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createKoaMiddleware } from 'hooklayer/koa'
import { createLambdaHandler } from 'hooklayer/lambda'
import { createManagement } from 'hooklayer/management'
import { createApiHandler, createRouteHandler } from 'hooklayer/next'
import { createNodeListener } from 'hooklayer/node'
import { createOpenTelemetryObserver } from 'hooklayer/opentelemetry'
import { createRecorder, type DeliveryRecord, type Recorder } from 'hooklayer/recorder'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { createDelivery, sampleOf } from 'hooklayer/testing'

type IsAny<T> = 0 extends 1 & T ? true : false
type AnyTopic = { [T in Topic]: IsAny<ResourceOf<T>> extends true ? T : never }[Topic]

const receiver = createReceiver({ secrets: { 'orders.place': secretsFromEnv()['orders.place'] } })

receiver.on('orders.place', ({ topic, resource: order }) => {
  const place: 'orders.place' = topic
  const email: string | null | undefined = order.customer_email
  // @ts-expect-error it is text
  const number: number = order.customer_email
  // @ts-expect-error an order has no such attribute
  order.nothing_of_the_kind
  // @ts-expect-error it was not included
  order.customer.email
  // @ts-expect-error a customer has no such attribute
  order.customer?.nothing_of_the_kind
  return [place, email, number]
})

receiver.on('orders.place', { include: ['customer', 'line_items.item'] }, ({ resource: order }) => {
  const email: string = order.customer.email
  const [line] = order.line_items
  // @ts-expect-error it is a line item
  const wrong: { type: 'orders' } | undefined = line
  return [email, line?.sku_code, wrong]
})

// @ts-expect-error a handler of customers is none of orders
receiver.on('orders.place', (event: WebhookEvent<'customers.create'>) => event.id)

// @ts-expect-error there is no such option
createReceiver({ secrets: 'secret', nosuch: true })

export const handler: Handler<'customers.create'> = ({ resource }) => resource.email

/** No resource may be `any`; with a type that is missing in the SDK that is installed, it would be. */
export const anyTopic: IsAny<AnyTopic> = false
// @ts-expect-error `never` has no values, and `any` would take this one
export const noAnyTopic: AnyTopic = 'orders.place'

export const adapters = [
  createExpressMiddleware(receiver),
  createFastifyPlugin(receiver),
  createFetchHandler(receiver),
  createKoaMiddleware(receiver),
  createLambdaHandler(receiver),
  createApiHandler(receiver),
  createRouteHandler(receiver),
  createNodeListener(receiver),
]
// @ts-expect-error an adapter takes a receiver
createExpressMiddleware({})

export const stores: IdempotencyStore[] = [createMemoryStore(), createSqliteStore({ file: 'shop.sqlite' })]
export const inboxes: Inbox[] = [
  createMemoryInbox(),
  createSqliteInbox({ file: 'shop.sqlite' }),
  createBullmqInbox({ redis: 'redis://127.0.0.1' }),
]
// @ts-expect-error a file is text
createSqliteStore({ file: 1 })
// @ts-expect-error a client is needed
createRedisStore({})
// @ts-expect-error a client is needed
createPostgresStore({})

export const observer: Observer = createOpenTelemetryObserver({ inbox: createMemoryInbox() })
// @ts-expect-error a provider has a method
createOpenTelemetryObserver({ tracerProvider: {} })

export const recorder: Recorder = createRecorder({ max: 100, redact: { allow: ['sku_code'] } })
createReceiver({ secrets: secretsFromEnv(), recorder })
recorder.subscribe((records: readonly DeliveryRecord[]) => records.map(({ outcome }) => outcome))
// @ts-expect-error a number of records is a number
createRecorder({ max: '100' })

export async function tryOut(): Promise<unknown[]> {
  const { method, body, headers } = await createDelivery('orders.place')
  const bytes: Uint8Array = body
  // @ts-expect-error bytes are no text
  const text: string = body
  const sample = sampleOf('orders')
  const answer = await fetch('http://127.0.0.1', { method, body, headers })
  const emulator = await createEmulator()
  const management = createManagement(emulator)
  const plan = await management.plan(receiver, { callbackUrl: 'https://shop.example/webhooks' })
  // @ts-expect-error the URL is missing
  await management.plan(receiver, {})
  const [step] = plan.steps
  // @ts-expect-error it is text
  const topic: number | undefined = step?.topic
  const webhooks = await management.webhooks.list()
  // @ts-expect-error a webhook has no such attribute
  webhooks[0]?.nothing_of_the_kind
  return [bytes, text, sample, answer.status, topic]
}

export const put: Inbox['put'] = async (delivery: StoredDelivery) => (delivery.body.length > 0 ? 'stored' : 'full')
// @ts-expect-error a body is bytes
export const wrongPut: Inbox['put'] = async (delivery: StoredDelivery & { body: string }) => delivery.body
