import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Sender } from '../records.ts'
import type { AnswerOptions } from './answer.ts'
import { readAttributes } from './body.ts'
import { checkOrigin } from './check-origin.ts'
import { CIRCUIT_UPDATE, updateCircuit } from './circuits.ts'
import { ApiError, createErrorObject, refuse, refuseMethod, refuseNotFound } from './errors.ts'
import { EVENT_UPDATE, updateEvent } from './events.ts'
import { checkAccept, JSON_API, readJson } from './negotiation.ts'
import { createOauth, type OauthOptions } from './oauth.ts'
import { readShape } from './query.ts'
import { createRateLimit } from './rate-limit.ts'
import { addReading, answer, findRecord } from './reading.ts'
import { CIRCUITS, EVENTS, findCollection, WEBHOOKS } from './schema.ts'
import { answerTrigger, type Trigger } from './trigger.ts'
import { createWebhook, updateWebhook, WEBHOOK_CREATE, WEBHOOK_UPDATE } from './webhooks.ts'

export interface ApiOptions extends OauthOptions, AnswerOptions {
  readonly sender: Sender
  readonly rateLimit: boolean
  readonly trigger: Trigger
  /** The shared secret of all webhooks. Default: a random one for each. */
  readonly secret?: string | undefined
}

/**
 * Creates one app for both hosts of Commerce Layer: `/oauth/token` of `auth.commercelayer.io`, and `/api` of the
 * organization. `/emulator` has what Commerce Layer does not have.
 */
export function createApi(options: ApiOptions): Hono {
  const oauth = createOauth(options)
  const app = new Hono({ strict: false })
  app.use(checkOrigin())
  app.use(createRateLimit(options.rateLimit))
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseBody }))
  app.post('/oauth/token', (c) => oauth.issueToken(c))
  app.get('/.well-known/jwks.json', () => oauth.answerKeys())
  app.use('/api/*', async (c, next) => {
    await oauth.checkToken(c.req.header('authorization'))
    checkAccept(c)
    await next()
  })
  addWebhooks(app, options)
  addEvents(app, options)
  addCircuits(app, options)
  addReading(app, options)
  app.use('/emulator/*', async (c, next) => {
    await oauth.checkToken(c.req.header('authorization'))
    await next()
  })
  app.post('/emulator/trigger', (c) => answerTrigger(c, options.trigger))
  // Before this, every method that a resource has was tried.
  app.on(['POST', 'PUT', 'PATCH', 'DELETE'], ['/api/:type', '/api/:type/:id'], (c) => {
    throw findCollection(c.req.param('type')) ? refuseMethod(c.req.method) : refuseNotFound()
  })
  app.notFound(() => answerError(refuseNotFound()))
  app.onError((error) => answerError(error))
  return app
}

/** An assumption. A webhook takes some 500 bytes, and its metadata what a client puts there. */
const MAX_BODY_BYTES = 262_144

function refuseBody(): never {
  throw refuse('PAYLOAD_TOO_LARGE', `A body may have up to ${MAX_BODY_BYTES} bytes.`)
}

function addWebhooks(app: Hono, options: ApiOptions): void {
  const { records, organization, secret } = options
  app.post('/api/webhooks', async (c) => {
    const shape = readShape(WEBHOOKS, new URL(c.req.url).searchParams)
    const attributes = readAttributes(await readJson(c), { schema: WEBHOOKS, attributes: WEBHOOK_CREATE })
    return answer(createWebhook(records, organization.slug, attributes, secret), shape, options, 201)
  })
  app.patch('/api/webhooks/:id', async (c) => {
    const webhook = findRecord(records.webhooks, c.req.param('id'))
    const shape = readShape(WEBHOOKS, new URL(c.req.url).searchParams)
    const target = { schema: WEBHOOKS, id: webhook.id, attributes: WEBHOOK_UPDATE }
    updateWebhook(records, organization.slug, webhook, readAttributes(await readJson(c), target))
    return answer(webhook, shape, options)
  })
  app.delete('/api/webhooks/:id', (c) => {
    records.webhooks.delete(findRecord(records.webhooks, c.req.param('id')).id)
    return c.body(null, 204)
  })
}

function addEvents(app: Hono, options: ApiOptions): void {
  const { records, sender } = options
  app.patch('/api/events/:id', async (c) => {
    const event = findRecord(records.events, c.req.param('id'))
    const shape = readShape(EVENTS, new URL(c.req.url).searchParams)
    const target = { schema: EVENTS, id: event.id, attributes: EVENT_UPDATE }
    updateEvent(event, readAttributes(await readJson(c), target), sender)
    return answer(event, shape, options)
  })
}

function addCircuits(app: Hono, options: ApiOptions): void {
  const { records } = options
  for (const schema of CIRCUITS) {
    app.patch(`/api/${schema.type}/:id`, async (c) => {
      const record = findRecord(schema.collection(records), c.req.param('id'))
      const shape = readShape(schema, new URL(c.req.url).searchParams)
      const target = { schema, id: record.id, attributes: CIRCUIT_UPDATE }
      updateCircuit(records, record, readAttributes(await readJson(c), target))
      return answer(record, shape, options)
    })
  }
}

function answerError(error: Error): Response {
  const { status, errors } =
    error instanceof ApiError
      ? error
      : { status: 500, errors: [createErrorObject('INTERNAL_SERVER_ERROR', 'The emulator failed.')] }
  const headers = { 'content-type': JSON_API }
  if (status !== 404) return Response.json({ errors }, { status, headers })
  // As recorded: since 2025 this answer comes from the edge, and `errors` is an object.
  const [{ detail, code } = createErrorObject('RECORD_NOT_FOUND', '')] = errors
  const notFound = { title: 'Record Not Found', detail, code, status }
  return Response.json({ errors: notFound }, { status, headers: { ...headers, 'retry-after': '0' } })
}
