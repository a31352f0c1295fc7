import type { ResourceDocument } from '../wire/document.ts'

/** A webhook as the platform keeps it. Times are ISO 8601 in UTC with milliseconds, as the API writes them. */
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

/** One call made to a webhook: what was sent, and how the endpoint answered. */
export interface EventCallbackRecord {
  readonly id: string
  readonly type: 'event_callbacks'
  readonly callback_url: string
  /** What was sent; shared by all calls of one delivery. */
  readonly payload: ResourceDocument
  /** `null` as long as the call is pending, and for good where no answer came. */
  response_code: string | null
  response_message: string | null
  readonly created_at: string
  updated_at: string
  reference: string | null
  reference_origin: string | null
  metadata: Record<string, unknown>
  readonly webhook: WebhookRecord
  /** What the call was about; the API finds the callbacks of an event by it and does not show it. */
  readonly event: EventRecord
}

/** Something that happened to a resource; what `_trigger` sends again. */
export interface EventRecord {
  readonly id: string
  readonly type: 'events'
  readonly name: string
  readonly created_at: string
  updated_at: string
  reference: string | null
  reference_origin: string | null
  metadata: Record<string, unknown>
  /** The SDK-shaped resource that it happened to, with all that can be reached from it. */
  readonly resource: { readonly id: string; readonly type: string }
}

/** The organisation that everything belongs to; its other attributes are the SDK's examples. */
export interface OrganizationRecord {
  readonly id: string
  readonly type: 'organizations'
  readonly slug: string
  readonly [attribute: string]: unknown
}

/** All that the platform remembers, by id and in the order of its making. */
export interface Records {
  readonly webhooks: Map<string, WebhookRecord>
  readonly eventCallbacks: Map<string, EventCallbackRecord>
  readonly events: Map<string, EventRecord>
}

/** What takes an event to the webhooks that subscribe to its topic. */
export interface Sender {
  /** Resolves with the first call to each webhook, once it has ended; retries go on behind it. Never rejects. */
  send(event: EventRecord): Promise<EventCallbackRecord[]>
  /** Resolves when no call and no retry is under way. */
  settled(): Promise<void>
  /** Ends calls that are under way and forgets the retries. */
  close(): Promise<void>
}
