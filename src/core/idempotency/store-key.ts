import { WebhookError } from '../errors.ts'
import { contentIdOf, type WebhookEvent } from '../event/event.ts'
import type { Identity } from '../verify/identity.ts'
import type { ResourceVersion } from './store.ts'
import { nameResource } from './stored-resource.ts'

/**
 * Gives the key under which a store keeps an event: its `id`, or the topic and the key that a function gives. A topic
 * that may be made up is left out, so that one content under many topics is one event.
 */
export async function storeKey(
  event: WebhookEvent,
  { byTopic, byTenant }: Identity,
  key: ((event: WebhookEvent) => string) | undefined,
): Promise<string> {
  const tenant = byTenant ? `${JSON.stringify([event.organizationId, event.mode])} ` : ''
  if (key) return `${tenant}${byTopic ? event.topic : '*'} ${readKey(event, key)}`
  return `${tenant}${byTopic ? eventId(event) : await contentIdOf(event)}`
}

/** Gives the key of an event by a function. @throws WebhookError `INTERNAL_ERROR` if that is not text, or empty. */
export function readKey(event: WebhookEvent, key: (event: WebhookEvent) => string): string {
  const text: unknown = key(event)
  if (typeof text === 'string' && text !== '') return text
  throw new WebhookError('INTERNAL_ERROR', { hint: '`idempotency.key` must give text that is not empty.' })
}

/** A document without a canonical form is known by its bytes. */
function eventId(event: WebhookEvent): string {
  try {
    return event.id
  } catch {
    return event.delivery.id
  }
}

/** Gives the version of an event's resource; `undefined` if the event does not say it. */
export function resourceVersion(event: WebhookEvent, { byTenant }: Identity): ResourceVersion | undefined {
  const { type, id, updated_at: updatedAt } = event.resource as { type: string; id: string; updated_at?: unknown }
  if (typeof updatedAt !== 'string') return undefined
  const labels = byTenant && { organizationId: event.organizationId ?? '', mode: event.mode ?? '' }
  return { resource: nameResource({ type, id, ...labels }), updatedAt }
}
