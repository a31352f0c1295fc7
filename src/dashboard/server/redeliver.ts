import { eventIdOf } from '../../index.ts'
import type { DeliveryRecord, RecordDetails } from '../../recorder/record.ts'
import type { Redelivered } from '../api.ts'
import type { Context } from './context.ts'
import { Refusal } from './problem.ts'
import { defined } from './write-delivery.ts'

/** Commerce Layer records a call shortly before it is received. Clocks may differ. */
const BEFORE_MS = 2 * 60_000
const AFTER_MS = 60_000
/** How many calls of that time are looked through. */
const MAX_CALLS = 500
const SEARCH_MS = 60_000

/**
 * Whether the handlers can be run again: with the document that was recorded, or with that of the API. What was refused
 * is nobody's word, and is never run.
 */
export function canRedeliver(
  { outcome, source, topic, body, isMasked, resource }: RecordDetails,
  context: Context,
): boolean {
  const { receiver, management } = context.settings
  if (!receiver || outcome === 'refused' || source === 'sender' || topic === undefined) return false
  return (body !== undefined && !isMasked) || (management !== undefined && resource !== undefined)
}

export async function redeliver(details: RecordDetails, context: Context): Promise<Redelivered> {
  const { receiver } = context.settings
  const { topic, body, isMasked } = details
  if (!receiver || topic === undefined || !canRedeliver(details, context)) {
    throw new Refusal(409, 'This delivery cannot be redelivered: its document was not kept.')
  }
  const document = body !== undefined && !isMasked ? parse(body) : await findPayload(details, topic, context)
  try {
    return { outcome: await receiver.redeliver(topic, document) }
  } catch (error) {
    const { code, message, cause } = Object(error)
    const used = new TextEncoder().encode(JSON.stringify(document))
    const show = (text: unknown) => context.mask.text(String(text), used)
    const said = cause === undefined ? undefined : show(Object(cause).message ?? cause)
    return {
      outcome: 'failed',
      error: {
        code: String(code ?? 'HANDLER_FAILED'),
        message: show(message),
        ...defined({ cause: said }),
      },
    }
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    throw new Refusal(409, 'This delivery cannot be redelivered: its body is not JSON.')
  }
}

/** Finds the payload in Commerce Layer's record of the call. */
async function findPayload(details: RecordDetails, topic: string, { settings, ask }: Context): Promise<unknown> {
  const { management, recorder } = settings
  const { deliveryId, resource, eventId } = details
  const attempts =
    deliveryId === undefined || !recorder ? [] : (await ask('recorder', () => recorder.list({ deliveryId }))).records
  const { receivedAt } = findRequest([details, ...attempts])
  const since = new Date(receivedAt.getTime() - BEFORE_MS)
  const until = new Date(receivedAt.getTime() + AFTER_MS)
  const found = await ask('management', async () => {
    let seen = 0
    for await (const { payload } of management?.eventCallbacks.list({
      topic,
      since,
      until,
      signal: AbortSignal.timeout(SEARCH_MS),
    }) ?? []) {
      const { id, type } = Object(payload?.data)
      if (id === resource?.id && type === resource?.type && (await isSameEvent(topic, payload, eventId))) return payload
      if (++seen >= MAX_CALLS) break
    }
    return undefined
  })
  if (found === undefined || found === null) {
    throw new Refusal(404, 'Commerce Layer has no record of this call any more, and the document was not kept here.')
  }
  return found
}

/** The attempt of a worker may be much later than the call. */
function findRequest(attempts: readonly DeliveryRecord[]): DeliveryRecord {
  const [first] = attempts
  const requests = attempts.filter(({ source }) => source === 'request')
  return requests.at(-1) ?? (first as DeliveryRecord)
}

/** The id of an event whose topic may be made up is of its content alone. */
async function isSameEvent(topic: string, payload: unknown, eventId: string | undefined): Promise<boolean> {
  if (eventId === undefined) return true
  try {
    return (await eventIdOf(topic, payload)) === eventId || (await eventIdOf('', payload)) === eventId
  } catch {
    return false
  }
}
