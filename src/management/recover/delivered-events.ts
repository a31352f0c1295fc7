import type { Api } from '../resources/api.ts'
import type { EventCallbackQuery } from '../resources/event-callbacks.ts'
import { createDigest, type EventDigest, readEventId } from './event-digest.ts'

/**
 * Reads which events were acknowledged, by the URL that their webhook has now. Memory: one page, and some 60 bytes for
 * each event.
 */
export async function findDeliveredEvents(
  api: Api,
  query: Pick<EventCallbackQuery, 'since' | 'webhookId' | 'topic' | 'signal'>,
): Promise<ReadonlySet<EventDigest>> {
  const delivered = new Set<EventDigest>()
  for await (const { webhook, payload } of api.eventCallbacks.list({ ...query, outcome: 'succeeded' })) {
    const eventId = webhook && (await readEventId(webhook.topic, payload))
    if (eventId) delivered.add(createDigest(eventId, webhook.callback_url))
  }
  return delivered
}
