import { exampleAttributesOf } from '../../wire/schema.ts'
import type { EventCallbackRecord, EventRecord, OrganizationRecord, Records, WebhookRecord } from '../records.ts'

export type ApiRecord = WebhookRecord | EventCallbackRecord | EventRecord | OrganizationRecord

/** How an attribute is compared; times are ISO 8601 in UTC with milliseconds, so that their text sorts as they do. */
export type AttributeKind = 'text' | 'time' | 'number' | 'json'

export interface RelationshipSchema<R> {
  /** What it leads to. */
  readonly schema: () => TypeSchema
  /** Whether lists can be filtered by the attributes at its end. */
  readonly isFilterable?: boolean
  related(record: R, records: Records): ApiRecord | readonly ApiRecord[] | null
}

/** What a resource type has, and what may be asked of lists of it. */
export interface TypeSchema<R = ApiRecord> {
  readonly type: string
  /** In the order of the wire. */
  readonly attributes: Readonly<Record<string, AttributeKind>>
  readonly sortable: readonly string[]
  readonly filterable: readonly string[]
  readonly relationships: Readonly<Record<string, RelationshipSchema<R>>>
}

/** A type that has a list of its own. */
export interface CollectionSchema<R = ApiRecord> extends TypeSchema<R> {
  collection(records: Records): ReadonlyMap<string, R>
}

/** How many "last event callbacks" there are. An assumption: as many as fit on one page, newest first. */
const LAST_EVENT_CALLBACKS = 25

const SHARED_ATTRIBUTES = {
  created_at: 'time',
  updated_at: 'time',
  reference: 'text',
  reference_origin: 'text',
  metadata: 'json',
} as const
const SHARED_SORTABLE = ['created_at', 'updated_at', 'reference', 'reference_origin']
const SHARED_FILTERABLE = [...SHARED_SORTABLE, 'metadata']

/** What the platform keeps about everything, and the emulator does not: these relationships are empty. */
const EVENT_STORES = emptyRelationship('event_stores')
const VERSIONS = emptyRelationship('versions')

export const WEBHOOKS: CollectionSchema<WebhookRecord> = {
  type: 'webhooks',
  attributes: {
    name: 'text',
    topic: 'text',
    callback_url: 'text',
    include_resources: 'json',
    disabled_at: 'time',
    circuit_state: 'text',
    circuit_failure_count: 'number',
    shared_secret: 'text',
    ...SHARED_ATTRIBUTES,
  },
  sortable: ['id', 'disabled_at', 'circuit_state', 'circuit_failure_count', ...SHARED_SORTABLE],
  filterable: ['id', 'name', 'topic', 'disabled_at', 'circuit_state', 'circuit_failure_count', ...SHARED_FILTERABLE],
  relationships: {
    last_event_callbacks: {
      schema: () => EVENT_CALLBACKS,
      related: (webhook, records) => lastEventCallbacks(records, (callback) => callback.webhook === webhook),
    },
    versions: VERSIONS,
    event_stores: EVENT_STORES,
  },
  collection: ({ webhooks }) => webhooks,
}

const EVENT_CALLBACKS: CollectionSchema<EventCallbackRecord> = {
  type: 'event_callbacks',
  attributes: {
    callback_url: 'text',
    payload: 'json',
    response_code: 'text',
    response_message: 'text',
    ...SHARED_ATTRIBUTES,
  },
  sortable: ['id', 'response_code', 'response_message', ...SHARED_SORTABLE],
  filterable: ['id', 'callback_url', 'response_code', 'response_message', ...SHARED_FILTERABLE],
  relationships: {
    webhook: {
      schema: () => WEBHOOKS,
      isFilterable: true,
      related: ({ webhook }, { webhooks }) => webhooks.get(webhook.id) ?? null,
    },
    event_stores: EVENT_STORES,
  },
  collection: ({ eventCallbacks }) => eventCallbacks,
}

/** Sortable and filterable as the SDK's types say; the rest of the documentation is silent about events. */
export const EVENTS: CollectionSchema<EventRecord> = {
  type: 'events',
  attributes: { name: 'text', ...SHARED_ATTRIBUTES },
  sortable: ['id', 'name', ...SHARED_SORTABLE],
  filterable: ['id', 'name', ...SHARED_FILTERABLE],
  relationships: {
    webhooks: {
      schema: () => WEBHOOKS,
      related: ({ name }, { webhooks }) => [...webhooks.values()].filter(({ topic }) => topic === name),
    },
    last_event_callbacks: {
      schema: () => EVENT_CALLBACKS,
      related: (event, records) => lastEventCallbacks(records, (callback) => callback.event === event),
    },
    event_stores: EVENT_STORES,
  },
  collection: ({ events }) => events,
}

export const ORGANIZATIONS: TypeSchema<OrganizationRecord> = {
  type: 'organizations',
  attributes: {
    ...Object.fromEntries(Object.keys(exampleAttributesOf('organizations')).map((name) => [name, 'json' as const])),
    ...SHARED_ATTRIBUTES,
  },
  sortable: [],
  filterable: [],
  relationships: { event_stores: EVENT_STORES },
}

const COLLECTIONS = mapOf<CollectionSchema>([WEBHOOKS, EVENT_CALLBACKS, EVENTS])
const SCHEMAS = mapOf<TypeSchema>([...COLLECTIONS.values(), ORGANIZATIONS])

/** The schema of a type that has a list, by its name in the path. */
export function collectionOf(type: string): CollectionSchema | undefined {
  return COLLECTIONS.get(type)
}

/** The schema of any type that the emulator has resources of. */
export function schemaOf(type: string): TypeSchema | undefined {
  return SCHEMAS.get(type)
}

/** The relationship of that name; `undefined` for names that only an object's prototype has, too. */
export function relationshipOf(schema: TypeSchema, name: string): RelationshipSchema<ApiRecord> | undefined {
  return Object.hasOwn(schema.relationships, name) ? schema.relationships[name] : undefined
}

export function attributeOf(record: ApiRecord, name: string): unknown {
  return (record as OrganizationRecord)[name]
}

/** Tells a list of related records from one, or from none. */
export function isList<One>(related: One | readonly One[] | null): related is readonly One[] {
  return Array.isArray(related)
}

function lastEventCallbacks(
  { eventCallbacks }: Records,
  isOfInterest: (callback: EventCallbackRecord) => boolean,
): EventCallbackRecord[] {
  return [...eventCallbacks.values()].filter(isOfInterest).slice(-LAST_EVENT_CALLBACKS).reverse()
}

function emptyRelationship(type: string): RelationshipSchema<ApiRecord> {
  const schema = { type, attributes: {}, sortable: [], filterable: [], relationships: {} }
  return { schema: () => schema, related: () => [] }
}

function mapOf<Schema extends TypeSchema>(schemas: readonly Schema[]): ReadonlyMap<string, Schema> {
  return new Map(schemas.map((schema) => [schema.type, schema]))
}
