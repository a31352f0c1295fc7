import { getExampleAttributes } from '../../wire/schema.ts'
import type { AskedRecord, HolderRecord } from '../holders/holders.ts'
import type { EventCallbackRecord, EventRecord, OrganizationRecord, Records, WebhookRecord } from '../records.ts'

export type ApiRecord =
  | WebhookRecord
  | EventCallbackRecord
  | EventRecord
  | OrganizationRecord
  | HolderRecord
  | AskedRecord

/** How an attribute is compared. Times are ISO 8601 in UTC with milliseconds, so they are compared as text. */
export type AttributeKind = 'text' | 'time' | 'number' | 'json'

export interface RelationshipSchema<R> {
  /** The schema of the related resources. */
  readonly schema: () => TypeSchema
  /** Whether lists can be filtered by attributes of the related resource. */
  readonly isFilterable?: boolean
  related(record: R, records: Records): ApiRecord | readonly ApiRecord[] | null
}

/** The attributes and relationships of a resource type, and those that lists can be sorted and filtered by. */
export interface TypeSchema<R = ApiRecord> {
  readonly type: string
  /** In the order in which they are written. */
  readonly attributes: Readonly<Record<string, AttributeKind>>
  readonly sortable: readonly string[]
  readonly filterable: readonly string[]
  readonly relationships: Readonly<Record<string, RelationshipSchema<R>>>
}

/** The schema of a type that has its own list. */
export interface CollectionSchema<R = ApiRecord> extends TypeSchema<R> {
  collection(records: Records): ReadonlyMap<string, R>
}

const SHARED_ATTRIBUTES = {
  created_at: 'time',
  updated_at: 'time',
  reference: 'text',
  reference_origin: 'text',
  metadata: 'json',
} as const
const SHARED_SORTABLE = ['created_at', 'updated_at', 'reference', 'reference_origin']
const SHARED_FILTERABLE = [...SHARED_SORTABLE, 'metadata']

/** These relationships are always empty, because the emulator has no such records. */
const EVENT_STORES = createEmptyRelationship('event_stores', [
  'resource_type',
  'resource_id',
  'event',
  'payload',
  'who',
])
const VERSIONS = createEmptyRelationship('versions', ['resource_type', 'resource_id', 'event', 'changes', 'who'])

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
      related: (webhook, records) => findLastEventCallbacks(records, (callback) => callback.webhook === webhook),
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

/** Sortable and filterable attributes are those of the SDK's types, because the documentation does not list them. */
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
      related: (event, records) => findLastEventCallbacks(records, (callback) => callback.event === event),
    },
    event_stores: EVENT_STORES,
  },
  collection: ({ events }) => events,
}

export const ORGANIZATIONS: TypeSchema<OrganizationRecord> = {
  type: 'organizations',
  attributes: {
    ...Object.fromEntries(Object.keys(getExampleAttributes('organizations')).map((name) => [name, 'json' as const])),
    ...SHARED_ATTRIBUTES,
  },
  sortable: [],
  filterable: [],
  relationships: { event_stores: EVENT_STORES },
}

const CIRCUIT = { circuit_state: 'text', circuit_failure_count: 'number' } as const
const HOLDER = { shared_secret: 'text', external_includes: 'json', ...SHARED_ATTRIBUTES } as const

/** Of all types that belong to external resources, the API has the attributes that matter for calls. */
const MARKETS = createHolderSchema('markets', {
  name: 'text',
  external_prices_url: 'text',
  external_order_validation_url: 'text',
  ...HOLDER,
})
const HOLDERS = [
  createHolderSchema('shipping_methods', {
    name: 'text',
    scheme: 'text',
    external_prices_url: 'text',
    price_amount_cents: 'number',
    ...CIRCUIT,
    ...HOLDER,
  }),
  createHolderSchema('external_promotions', { name: 'text', ...CIRCUIT, ...HOLDER, promotion_url: 'text' }),
  createHolderSchema('external_tax_calculators', { name: 'text', ...CIRCUIT, ...HOLDER, tax_calculator_url: 'text' }),
]

/** Orders and line items that were asked for at a market, with their circuits. Nothing else is known of them. */
const ASKED = [createAskedSchema('orders'), createAskedSchema('line_items')]

/** The types that have circuits, but for webhooks. */
export const CIRCUITS: readonly CollectionSchema<HolderRecord | AskedRecord>[] = [...HOLDERS, ...ASKED]

const COLLECTIONS = indexByType<CollectionSchema>([WEBHOOKS, EVENT_CALLBACKS, EVENTS, MARKETS, ...HOLDERS, ...ASKED])
const SCHEMAS = indexByType<TypeSchema>([
  ...COLLECTIONS.values(),
  ORGANIZATIONS,
  EVENT_STORES.schema(),
  VERSIONS.schema(),
])

/** The schema of a type that has a list. */
export function findCollection(type: string): CollectionSchema | undefined {
  return COLLECTIONS.get(type)
}

/** The schema of any resource type of the emulator. */
export function findSchema(type: string): TypeSchema | undefined {
  return SCHEMAS.get(type)
}

/**
 * The relationship of that name. Names that only the prototype of an object has, such as `constructor`, are unknown.
 */
export function findRelationship(schema: TypeSchema, name: string): RelationshipSchema<ApiRecord> | undefined {
  return Object.hasOwn(schema.relationships, name) ? schema.relationships[name] : undefined
}

export function readAttribute(record: ApiRecord, name: string): unknown {
  return (record as OrganizationRecord)[name]
}

/** Whether related records are a list. */
export function isList<One>(related: One | readonly One[] | null): related is readonly One[] {
  return Array.isArray(related)
}

function findLastEventCallbacks(
  { eventCallbacks }: Records,
  isRelated: (callback: EventCallbackRecord) => boolean,
): EventCallbackRecord[] {
  return [...eventCallbacks.values()].filter(isRelated).reverse()
}

function createEmptyRelationship(type: string, names: readonly string[]): RelationshipSchema<ApiRecord> {
  const own = Object.fromEntries(names.map((name) => [name, 'json' as const]))
  const sortable = ['id', 'resource_type', 'resource_id', 'event', ...SHARED_SORTABLE]
  const schema = { type, attributes: { ...own, ...SHARED_ATTRIBUTES }, sortable, filterable: [], relationships: {} }
  return { schema: () => schema, related: () => [] }
}

function createHolderSchema(
  type: HolderRecord['type'],
  attributes: TypeSchema['attributes'],
): CollectionSchema<HolderRecord> {
  const own = ['id', 'name', ...Object.keys(CIRCUIT).filter((name) => name in attributes)]
  return {
    type,
    attributes,
    sortable: [...own, ...SHARED_SORTABLE],
    filterable: [...own, ...SHARED_FILTERABLE],
    relationships: { event_stores: EVENT_STORES },
    collection: ({ holders }) => new Map([...holders].filter(([, holder]) => holder.type === type)),
  }
}

function createAskedSchema(type: AskedRecord['type']): CollectionSchema<AskedRecord> {
  const own = ['id', ...Object.keys(CIRCUIT)]
  return {
    type,
    attributes: { ...CIRCUIT, ...SHARED_ATTRIBUTES },
    sortable: [...own, ...SHARED_SORTABLE],
    filterable: [...own, ...SHARED_FILTERABLE],
    relationships: { event_stores: EVENT_STORES },
    collection: ({ holders }) =>
      new Map([...holders.values()].flatMap((one) => [...one.circuits].filter(([, asked]) => asked.type === type))),
  }
}

function indexByType<Schema extends TypeSchema>(schemas: readonly Schema[]): ReadonlyMap<string, Schema> {
  return new Map(schemas.map((schema) => [schema.type, schema]))
}
