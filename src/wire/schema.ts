import { SDK_EXAMPLES } from './sdk-examples.ts'

/** A relationship of a resource type: the types that it may lead to, and whether it is a list. */
export interface Relationship {
  readonly targets: readonly string[]
  readonly isList: boolean
}

/** A resource in the shape of the SDK: attributes and related resources are fields of one object. */
export interface Resource {
  id: string
  readonly type: string
  [field: string]: unknown
}

/** The time of everything that happens to an example resource, as in the SDK's examples. */
export const EXAMPLE_TIME = '2024-02-21T16:37:09.750Z'

/**
 * The attributes that every resource has. Commerce Layer writes them in this order, after the resource's own
 * attributes.
 */
export const SHARED_ATTRIBUTES = {
  created_at: EXAMPLE_TIME,
  updated_at: EXAMPLE_TIME,
  reference: null,
  reference_origin: null,
  metadata: {},
}

const relationships = new Map<string, ReadonlyMap<string, Relationship>>()

/** The relationships of a type by name, in the order of the SDK. A type that the SDK does not know has none. */
export function getRelationships(type: string): ReadonlyMap<string, Relationship> {
  const cached = relationships.get(type)
  if (cached !== undefined) return cached
  const parsed = new Map<string, Relationship>()
  for (const [name, target] of Object.entries(getExample(type).relationships)) {
    const isList = target.endsWith('[]')
    parsed.set(name, { isList, targets: (isList ? target.slice(0, -2) : target).split('|') })
  }
  relationships.set(type, parsed)
  return parsed
}

/**
 * The example attributes of a type, without {@link SHARED_ATTRIBUTES}. All callers share one object: copy before
 * writing.
 */
export function getExampleAttributes(type: string): Readonly<Record<string, unknown>> {
  return getExample(type).attributes
}

export function isKnownType(type: string): boolean {
  return Object.hasOwn(SDK_EXAMPLES, type)
}

/** The types that the SDK knows. */
export function listKnownTypes(): readonly string[] {
  return Object.keys(SDK_EXAMPLES)
}

export function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null) return false
  return 'type' in value && typeof value.type === 'string' && 'id' in value && typeof value.id === 'string'
}

/**
 * Whether a field of a resource is a relationship. An attribute of the SDK never is, even if its value looks like a
 * resource: `metadata` may hold an object with `type` and `id`. For other fields the value decides, and for `null` and
 * `[]` the SDK.
 */
export function isRelationship(type: string, name: string, value: unknown): boolean {
  if (Object.hasOwn(SHARED_ATTRIBUTES, name) || Object.hasOwn(getExampleAttributes(type), name)) return false
  if (value === null) return getRelationships(type).has(name)
  if (!Array.isArray(value)) return isResource(value)
  return value.length === 0 ? getRelationships(type).has(name) : value.every(isResource)
}

function getExample(type: string): (typeof SDK_EXAMPLES)[string] {
  return (isKnownType(type) ? SDK_EXAMPLES[type] : undefined) ?? { attributes: {}, relationships: {} }
}
