import type { Context } from 'hono'
import * as z from 'zod'
import type { EventCallbackRecord } from '../records.ts'
import { refuse } from './errors.ts'
import { parseJson } from './negotiation.ts'

/** Creates an event of a resource, and resolves with the first call to each webhook. */
export type Trigger = (topic: string, resource: object) => Promise<readonly Omit<EventCallbackRecord, 'event'>[]>

const BODY = z.strictObject({ topic: z.string(), resource: z.record(z.string(), z.unknown()).default({}) })

/** Answers `POST /emulator/trigger` of `{ "topic": "orders.place", "resource": {} }`, once the webhooks were called. */
export async function answerTrigger(c: Context, trigger: Trigger): Promise<Response> {
  const body = BODY.safeParse(parseJson(await c.req.text()))
  if (!body.success) throw refuse('BAD_REQUEST', 'The body must have a topic, and may have a resource.')
  try {
    const callbacks = await trigger(body.data.topic, body.data.resource)
    return Response.json({ event_callbacks: callbacks.map(describe) })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw refuse('BAD_REQUEST', error.message)
  }
}

/** The attributes of the API without the payload and the webhook, whose secret is nobody's here. */
function describe({ payload, webhook, ...attributes }: Omit<EventCallbackRecord, 'event'>) {
  return { ...attributes, topic: webhook.topic }
}
