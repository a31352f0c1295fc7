import type { ResourceDocument } from '../wire/document.ts'
import type { HolderRecord } from './holders/holders.ts'

/** A webhook, with the attributes of the API. Times are ISO 8601 in UTC with milliseconds, as the API writes them. */
export interface WebhookRecord {
  readonly id: string
  readonly type: 'webhooks'
  name: string
  topic: string
  callback_url: string
  include_resources: string[] | null
  disabled_at: string | null
  circuit_state: 'closed' | 'open'
  circuit_failure_count: number
  readonly shared_secret: string
  readonly created_at: string
  updated_at: string
  reference: string | null
  reference_origin: string | null
  metadata: Record<string, unknown>
}

/** One call to a webhook: its payload and the answer of the endpoint. */
export interface EventCallbackRecord {
  readonly id: string
  readonly type: 'event_callbacks'
  readonly callback_url: string
  /** The document that was sent. All calls of one delivery share it. */
  readonly payload: ResourceDocument
  /** The status of the answer. `null` while the call is pending, and if no answer came. */
  response_code: string | null
  /** The reason phrase of the answer, or a description of the failure if no answer came. */
  response_message: string | null
  readonly created_at: string
  updated_at: string
  reference: string | null
  reference_origin: string | null
  metadata: Record<string, unknown>
  readonly webhook: WebhookRecord
  /** The event of the call. The API does not show it. It serves to find the callbacks of an event. */
  readonly event: EventRecord
}

/** An event of a resource. `_trigger` delivers it again. */
export interface EventRecord {
  readonly id: string
  readonly type: 'events'
  readonly name: string
  readonly created_at: string
  updated_at: string
  reference: string | null
  reference_origin: string | null
  metadata: Record<string, unknown>
  /** The resource in the shape of the SDK, with all its related resources. */
  readonly resource: { readonly id: string; readonly type: string }
  /** The document and its bytes, where they were given. Default: they are written from the resource. */
  readonly payload?: { readonly document: ResourceDocument; readonly body: Uint8Array } | undefined
}

/** The organization. Attributes that are not listed here have the example values of the SDK. */
export interface OrganizationRecord {
  readonly id: string
  readonly type: 'organizations'
  readonly slug: string
  readonly [attribute: string]: unknown
}

/** All records of the emulator by id, in the order in which they were created. */
export interface Records {
  readonly webhooks: Map<string, WebhookRecord>
  readonly eventCallbacks: Map<string, EventCallbackRecord>
  readonly events: Map<string, EventRecord>
  readonly holders: Map<string, HolderRecord>
}

/** Delivers events to the webhooks that subscribe to their topic. */
export interface Sender {
  /**
   * Resolves with the first call to each webhook when these calls have ended. Retries go on afterwards. Never rejects.
   *
   * @param faults of this event alone. Default: those of the sender.
   */
  send(event: EventRecord, faults?: object): Promise<EventCallbackRecord[]>
  /** Resolves when no call and no retry is pending. */
  settled(): Promise<void>
  /** Ends all calls and cancels all retries. */
  close(): Promise<void>
}
