import type { Client } from '../client/client.ts'
import { createEventCallbacks, type EventCallbacks } from './event-callbacks.ts'
import { createEvents, type Events } from './events.ts'
import { createWebhooks, type Webhooks } from './webhooks.ts'

/** The resources of Commerce Layer's API that concern webhooks. */
export interface Api {
  readonly webhooks: Webhooks
  readonly eventCallbacks: EventCallbacks
  readonly events: Events
}

export function createApi(client: Client): Api {
  return {
    webhooks: createWebhooks(client),
    eventCallbacks: createEventCallbacks(client),
    events: createEvents(client),
  }
}
