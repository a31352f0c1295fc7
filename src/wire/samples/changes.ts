import { isResource, type Relationship, type Resource, relationshipsOf } from '../schema.ts'
import type { Make } from './make.ts'

/**
 * What can be said about a resource to change a sample: any of its fields, and of those of its related resources. An object
 * with both `type` and `id` is a resource of its own, and taken as it is; `undefined` leaves a field out.
 */
export type Changes<Value> = Value extends readonly (infer Item)[]
  ? readonly Changes<Item>[]
  : Value extends { readonly id: string; readonly type: string }
    ? { readonly [Name in keyof Value]?: Changes<Value[Name]> | undefined }
    : Value

/** Changes a sample in place. Objects of the caller's are linked or read, never written to. */
export function applyChanges(sample: Resource, changes: object, make: Make): void {
  const changed = new Map<object, Resource>([[changes, sample]])

  function change(resource: Resource, fields: object): Resource {
    changed.set(fields, resource)
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined && name !== 'id' && name !== 'type') delete resource[name]
      if (value === undefined) continue
      const relationship = relationshipsOf(resource.type).get(name)
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
}
