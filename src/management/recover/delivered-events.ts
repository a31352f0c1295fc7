import type { Api } from '../resources/api.ts'
import type { EventCallbackQuery } from '../resources/event-callbacks.ts'
import { createDigest, type EventDigest, payloadEventId } from './event-digest.ts'

/**
 * Reads which events were acknowledged, by the URL that their webhook has now. Holds a page, and some 60 bytes an event.
 */
export async function deliveredEvents(
  api: Api,
  query: Pick<EventCallbackQuery, 'since' | 'webhookId' | 'topic' | 'signal'>,
): Promise<ReadonlySet<EventDigest>> {
  const delivered = new Set<EventDigest>()
  for await (const { webhook, payload } of api.eventCallbacks({ ...query, outcome: 'succeeded' })) {
    const eventId = webhook && (await payloadEventId(webhook.topic, payload))
    if (eventId) delivered.add(createDigest(eventId, webhook.callback_url))
  }
  return delivered
}
