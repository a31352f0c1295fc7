import * as z from 'zod'
import type { DeliveryRecord, RecordDetails } from '../../recorder/record.ts'
import type { DeliveryDetails, DeliveryFilter, DeliveryPage, Outcome, Redelivered, SentCalls } from '../api.ts'
import type { Context } from './context.ts'
import { badRequest, notFound, Refusal } from './problem.ts'
import { limit, listOf, moment, readInput, text, toRecord } from './read-query.ts'
import { canRedeliver, redeliver } from './redeliver.ts'
import type { Route } from './routes.ts'
import { toSentCalls } from './trigger.ts'
import { toDetails, toItem } from './write-delivery.ts'

const OUTCOMES = [
  'handled',
  'queued',
  'duplicate',
  'ignored',
  'discarded',
  'failed',
  'refused',
] as const satisfies readonly Outcome[]

const FILTER = z.strictObject({
  search: text.optional(),
  topic: text.optional(),
  outcome: listOf(OUTCOMES).optional(),
  code: text.optional(),
  since: moment.optional(),
  until: moment.optional(),
  before: text.optional(),
  limit,
} satisfies Record<keyof DeliveryFilter, z.ZodType>)

/** How many other attempts of a delivery are shown. */
const MAX_OTHERS = 50

export function listDeliveryRoutes(context: Context): readonly Route[] {
  const { recorder } = context.settings
  if (!recorder) return []
  const { ask, mask } = context
  const { emulator } = context.settings

  async function find(id: string | undefined): Promise<RecordDetails> {
    const found = await ask('recorder', () => recorder?.get(readInput(text, id)))
    if (!found) throw notFound('delivery')
    return found
  }

  async function listAttempts(deliveryId: string): Promise<readonly DeliveryRecord[]> {
    const page = await ask('recorder', () => recorder?.list({ deliveryId, limit: MAX_OTHERS }))
    return page?.records ?? []
  }

  async function readDetails(id: string | undefined): Promise<DeliveryDetails> {
    const details = await find(id)
    const { deliveryId, isMasked, topic, body } = details
    const others = deliveryId === undefined ? [] : await listAttempts(deliveryId)
    const shown = mask.details(details)
    return toDetails(shown, {
      others: others.filter((other) => other.id !== details.id).map(mask.record),
      hasBody: shown.body !== undefined,
      canSendAgain: emulator !== undefined && topic !== undefined && body !== undefined && !isMasked,
      canRedeliver: canRedeliver(details, context),
    })
  }

  return [
    {
      method: 'GET',
      path: '/api/deliveries',
      async answer({ request }) {
        const filter = readInput(FILTER, toRecord(request.url))
        const { records, hasMore } = await ask('recorder', () => recorder.list(filter))
        return Response.json({
          items: records.map((record) => toItem(mask.record(record))),
          hasMore,
        } satisfies DeliveryPage)
      },
    },
    {
      method: 'GET',
      path: '/api/deliveries/:id',
      answer: async ({ params }) => Response.json(await readDetails(params.id)),
    },
    {
      method: 'GET',
      path: '/api/deliveries/:id/body',
      async answer({ params }) {
        const { body } = mask.details(await find(params.id))
        if (body === undefined) throw notFound('body')
        // Never a type that a browser would run or draw.
        return new Response(body as Uint8Array<ArrayBuffer>, {
          headers: { 'content-type': 'text/plain; charset=utf-8' },
        })
      },
    },
    {
      method: 'POST',
      path: '/api/deliveries/:id/send-again',
      async answer({ params }) {
        const { topic, body, isMasked } = await find(params.id)
        if (!emulator || topic === undefined || body === undefined || isMasked) {
          throw new Refusal(409, 'This delivery cannot be sent again.')
        }
        const calls = await ask('emulator', () => emulator.send(topic, body).catch(refuseDocument))
        return Response.json(toSentCalls(topic, calls, emulator) satisfies SentCalls)
      },
    },
    {
      method: 'POST',
      path: '/api/deliveries/:id/redeliver',
      answer: async ({ params }) =>
        Response.json((await redeliver(await find(params.id), context)) satisfies Redelivered),
    },
  ]
}

/** The emulator says what is wrong about the topic or the document, and quotes nothing of it. */
function refuseDocument(error: unknown): never {
  if (error instanceof TypeError) throw badRequest(error.message)
  throw error
}
