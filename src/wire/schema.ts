import { SAMPLES } from './sdk-examples.ts'

/** Where a relationship leads: to one resource or to a list, of one of these types. */
export interface Relationship {
  readonly targets: readonly string[]
  readonly isList: boolean
}

/** A resource as the SDK shapes it: attributes and related resources side by side. */
export interface Resource {
  id: string
  readonly type: string
  [field: string]: unknown
}

/** The attributes that every resource has, in the order of the wire, after its own. */
export const SHARED_ATTRIBUTES = {
  created_at: '2024-02-21T16:37:09.750Z',
  updated_at: '2024-02-21T16:37:09.750Z',
  reference: null,
  reference_origin: null,
  metadata: {},
}

const relationships = new Map<string, ReadonlyMap<string, Relationship>>()

/** The relationships of a type by name, in the SDK's order; empty for a type that the SDK does not know. */
export function relationshipsOf(type: string): ReadonlyMap<string, Relationship> {
  const known = relationships.get(type)
  if (known !== undefined) return known
  const parsed = new Map<string, Relationship>()
  for (const [name, target] of Object.entries(entryOf(type).relationships)) {
    const isList = target.endsWith('[]')
    parsed.set(name, { isList, targets: (isList ? target.slice(0, -2) : target).split('|') })
  }
  relationships.set(type, parsed)
  return parsed
}

/** Example attributes of a type, without the shared ones. They belong to the data file: copy before changing. */
export function exampleAttributesOf(type: string): Readonly<Record<string, unknown>> {
  return entryOf(type).attributes
}

export function isKnownType(type: string): boolean {
  return Object.hasOwn(SAMPLES, type)
}

export function isResource(value: unknown): value is Resource {
  if (typeof value !== 'object' || value === null) return false
  return 'type' in value && typeof value.type === 'string' && 'id' in value && typeof value.id === 'string'
}

/**
 * Whether a field of a resource is a relationship. What the SDK lists as an attribute never is (`metadata` may hold an
 * object with `type` and `id`); elsewhere the value decides, and the SDK's list only where it says nothing: null and `[]`.
 */
export function isRelationship(type: string, name: string, value: unknown): boolean {
  if (Object.hasOwn(SHARED_ATTRIBUTES, name) || Object.hasOwn(exampleAttributesOf(type), name)) return false
  if (value === null) return relationshipsOf(type).has(name)
  if (!Array.isArray(value)) return isResource(value)
  return value.length === 0 ? relationshipsOf(type).has(name) : value.every(isResource)
}

function entryOf(type: string): (typeof SAMPLES)[string] {
  return (isKnownType(type) ? SAMPLES[type] : undefined) ?? { attributes: {}, relationships: {} }
}
