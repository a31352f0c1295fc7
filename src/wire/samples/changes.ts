import { getRelationships, isResource, type Relationship, type Resource } from '../schema.ts'
import type { ResourceFactory } from './make.ts'

/**
 * Changes to a sample resource: any of its fields, and any fields of its related resources. An object with both `type`
 * and `id` is a whole resource, which replaces that of the sample. `undefined` removes a field.
 *
 * @example
 * const changes: Changes<Order> = { number: '1001', customer: { email: 'zoe@example.com' } }
 */
export type Changes<Value> = Value extends readonly (infer Item)[]
  ? readonly Changes<Item>[]
  : Value extends { readonly id: string; readonly type: string }
    ? { readonly [Name in keyof Value]?: Changes<Value[Name]> | undefined }
    : Value

/**
 * Applies changes to a sample in place. Objects of the caller are read or linked, and never written to.
 *
 * @returns the names of the fields that were changed, by resource.
 */
export function applyChanges(
  sample: Resource,
  changes: object,
  make: ResourceFactory,
): ReadonlyMap<Resource, ReadonlySet<string>> {
  const changed = new Map<object, Resource>([[changes, sample]])
  const given = new Map<Resource, Set<string>>()

  function change(resource: Resource, fields: object): Resource {
    changed.set(fields, resource)
    given.set(resource, new Set([...(given.get(resource) ?? []), ...Object.keys(fields)]))
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined && name !== 'id' && name !== 'type') delete resource[name]
      if (value === undefined) continue
      const relationship = getRelationships(resource.type).get(name)
      resource[name] = relationship ? relate(relationship, resource[name], value) : value
    }
    return resource
  }

  function relate(relationship: Relationship, current: unknown, value: unknown): unknown {
    if (!Array.isArray(value)) return relateOne(relationship, current, value)
    const items: readonly unknown[] = Array.isArray(current) ? current : []
    return value.map((item, i) => relateOne(relationship, items[i], item))
  }

  function relateOne({ targets }: Relationship, current: unknown, value: unknown): unknown {
    if (typeof value !== 'object' || value === null || isResource(value)) return value
    const type = 'type' in value && typeof value.type === 'string' ? value.type : undefined
    const base = isResource(current) && (type ?? current.type) === current.type ? current : undefined
    return changed.get(value) ?? change(base ?? make(type ?? targets[0] ?? ''), value)
  }

  change(sample, changes)
  return given
}
