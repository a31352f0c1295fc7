import { type IncludeTree, readIncludePaths } from './include-paths.ts'
import { isRelationship, isResource, type Resource, relationshipsOf } from './schema.ts'

/** What a resource needs in order to be written: everything else it has becomes attributes and relationships. */
export interface Identified {
  readonly id: string
  readonly type: string
}

interface Identifier {
  type: string
  id: string
}

/** A relationship of a JSON:API resource; `data` is there only if it was included. */
export interface RelationshipObject {
  data?: Identifier | Identifier[] | null
  links: { self: string; related: string }
}

/** A resource as JSON:API writes it, in the order of keys that Commerce Layer uses. */
export interface ResourceObject {
  id: string
  type: string
  links: { self: string }
  attributes?: Record<string, unknown>
  relationships?: Record<string, RelationshipObject>
  meta: Record<string, unknown>
}

/**
 * A JSON:API document as Commerce Layer writes it; `included` and `meta` are left out where they would hold nothing, and
 * `links` are for those who answer with a page of a list.
 */
export interface ResourceDocument {
  data: ResourceObject | ResourceObject[] | null
  included?: ResourceObject[]
  meta?: Record<string, unknown>
  links?: Record<string, string>
}

/** How a document is written. */
export interface DocumentOptions {
  /**
   * Dotted paths of the relationships to include, as `include_resources` of a webhook or `include` of a request. One that
   * its type has and the resource lacks is written as `null` or `[]`. Default: every relationship that is there, however deep.
   */
  readonly include?: readonly string[]
  /** Default: `test`. */
  readonly mode?: 'test' | 'live'
  /** Default: {@link TEST_ORGANIZATION_ID}. */
  readonly organizationId?: string
  /**
   * The API version as `YYYY-MM`. From `2026-05` on, `mode`, `organization_id` and `trace_id` are in the document's `meta`,
   * and each resource's keeps `created_with_version` alone. Default: the form before that.
   */
  readonly apiVersion?: string
  /** Default: none before API version `2026-05`, and a fixed one since. */
  readonly traceId?: string
  /** Leaves out what would be an empty `attributes`, and the relationships that are not included. Default: false. */
  readonly sparse?: boolean
}

/** The organisation that documents are written for unless told otherwise. */
export const TEST_ORGANIZATION_ID = 'HkTestOrgn'

const META_MOVED = '2026-05'

/**
 * The JSON:API document of a resource, of a list, or of nothing (`null`). Resources are SDK-shaped: a related resource is a
 * nested object with `type` and `id`, `null`, or a list. Cycles and shared references are fine: objects of one type and id
 * are one resource, written once, and the first of them to give a field is right about it.
 */
export function toDocument<R extends Identified>(
  primary: R | readonly R[] | null,
  options: DocumentOptions = {},
): ResourceDocument {
  const metas = metasOf(options)
  const roots =
    primary === null ? [] : Array.isArray(primary) ? primary.map(fieldsOf) : [fieldsOf(primary as Identified)]
  const reached = reach(roots, options.include && readIncludePaths(options.include))
  const objects = new Map(
    [...reached].map(([key, node]) => [key, toObject(node, metas.resource, options.sparse ?? false)]),
  )
  const data = roots.flatMap((root) => objects.get(keyOf(root)) ?? [])
  for (const root of roots) objects.delete(keyOf(root))
  return {
    data: Array.isArray(primary) ? data : (data[0] ?? null),
    ...(objects.size > 0 && { included: [...objects.values()] }),
    ...(metas.document && { meta: metas.document }),
  }
}

/** A resource met on the way, with the relationships that are to be written with `data`. */
interface Reached {
  readonly fields: Resource
  readonly included: Set<string>
}

/** Every resource within the include paths, or within reach where there are none; breadth first, as chains may be long. */
function reach(roots: readonly Resource[], include: IncludeTree | undefined): Map<string, Reached> {
  const nodes = new Map<string, Reached>()
  const seen = new Set<Resource>()
  const queue: [Resource, IncludeTree | undefined][] = roots.map((root) => [root, include])
  for (const [resource, tree] of queue) {
    const isNew = !seen.has(resource)
    if (isNew) merge(nodes, resource)
    else if (tree === undefined) continue
    seen.add(resource)
    for (const name of tree ? tree.keys() : Object.keys(resource)) {
      const value = tree ? (resource[name] ?? null) : resource[name]
      if (!isRelationship(resource.type, name, value)) continue
      nodes.get(keyOf(resource))?.included.add(name)
      for (const related of [value].flat().filter(isResource)) queue.push([related, tree?.get(name)])
    }
  }
  return nodes
}

function merge(nodes: Map<string, Reached>, resource: Resource): void {
  const known = nodes.get(keyOf(resource))
  const fields = known ? { ...resource, ...known.fields } : resource
  nodes.set(keyOf(resource), { fields, included: known?.included ?? new Set() })
}

function toObject({ fields, included }: Reached, meta: Record<string, unknown>, sparse: boolean): ResourceObject {
  const { id, type, ...others } = fields
  const self = `/api/${type}/${id}`
  const attributes = Object.entries(others).filter(([name, value]) => !isRelationship(type, name, value))
  const names = [...new Set(sparse ? included : [...relationshipsOf(type).keys(), ...included])]
  const relationships = names.map((name): [string, RelationshipObject] => {
    const links = { self: `${self}/relationships/${name}`, related: `${self}/${name}` }
    return [name, included.has(name) ? { data: linkage(type, name, fields[name]), links } : { links }]
  })
  return {
    id,
    type,
    links: { self },
    ...((!sparse || attributes.length > 0) && { attributes: Object.fromEntries(attributes) }),
    ...((!sparse || names.length > 0) && { relationships: Object.fromEntries(relationships) }),
    meta,
  }
}

function linkage(type: string, name: string, value: unknown): Identifier | Identifier[] | null {
  if (Array.isArray(value)) return value.filter(isResource).map(identifierOf)
  if (isResource(value)) return identifierOf(value)
  return relationshipsOf(type).get(name)?.isList ? [] : null
}

function identifierOf({ type, id }: Resource): Identifier {
  return { type, id }
}

function metasOf(options: DocumentOptions): { resource: Record<string, unknown>; document?: Record<string, unknown> } {
  const { mode = 'test', organizationId = TEST_ORGANIZATION_ID, apiVersion = '', traceId } = options
  const meta = { mode, organization_id: organizationId }
  if (apiVersion < META_MOVED) return { resource: traceId === undefined ? meta : { ...meta, trace_id: traceId } }
  const trace_id = traceId ?? '4bf92f3577b34da6a3ce929d0e0e4736'
  return { resource: { created_with_version: apiVersion }, document: { ...meta, trace_id } }
}

function fieldsOf(resource: Identified): Resource {
  return resource as Resource
}

function keyOf({ type, id }: Resource): string {
  return `${type}/${id}`
}
