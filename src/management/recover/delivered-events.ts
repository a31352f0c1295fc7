import type { Api } from '../resources/api.ts'
import type { EventCallbackQuery } from '../resources/event-callbacks.ts'
import { createDigest, type EventDigest, readEventId } from './event-digest.ts'
import type { FindTopic } from './event-topics.ts'

/**
 * Reads which events were acknowledged, by the URL that their webhook has now. Memory: one page, and some 60 bytes for
 * each event.
 */
export async function findDeliveredEvents(
  api: Api,
  query: Pick<EventCallbackQuery, 'since' | 'webhookId' | 'signal'>,
  findTopic: FindTopic,
): Promise<ReadonlySet<EventDigest>> {
  const delivered = new Set<EventDigest>()
  for await (const call of api.eventCallbacks.list({ ...query, outcome: 'succeeded' })) {
    const topic = call.webhook && (await findTopic(call))
    const eventId = topic && (await readEventId(topic, call.payload))
    if (call.webhook && eventId) delivered.add(createDigest(eventId, call.webhook.callback_url))
  }
  return delivered
}
