import type { Client } from '../client/client.ts'
import { createEventCallbacks, type EventCallbacks } from './event-callbacks.ts'
import { createEvents, type Events } from './events.ts'
import { createHoldersApi, type HoldersApi } from './holders.ts'
import { createWebhooks, type Webhooks } from './webhooks.ts'

/** The resources of Commerce Layer's API that concern webhooks and external resources. */
export interface Api extends HoldersApi {
  readonly webhooks: Webhooks
  readonly eventCallbacks: EventCallbacks
  readonly events: Events
}

export function createApi(client: Client): Api {
  return {
    webhooks: createWebhooks(client),
    eventCallbacks: createEventCallbacks(client),
    events: createEvents(client),
    ...createHoldersApi(client),
  }
}
