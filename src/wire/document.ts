import { type IncludeTree, readIncludePaths } from './include-paths.ts'
import { getRelationships, isRelationship, isResource, type Resource } from './schema.ts'

/** The fields that every resource needs. All its other fields become attributes and relationships. */
export interface Identified {
  readonly id: string
  readonly type: string
}

interface Identifier {
  type: string
  id: string
}

/** A relationship of a JSON:API resource. `data` is present only if the relationship was included. */
export interface RelationshipObject {
  data?: Identifier | Identifier[] | null
  links: { self: string; related: string }
}

/** A JSON:API resource, with its keys in the order that Commerce Layer uses. */
export interface ResourceObject {
  id: string
  type: string
  links: { self: string }
  attributes?: Record<string, unknown>
  relationships?: Record<string, RelationshipObject>
  meta: Record<string, unknown>
}

/**
 * A JSON:API document as Commerce Layer writes it. `included` and `meta` are absent when they would be empty. Only a
 * page of a list has `links`.
 */
export interface ResourceDocument {
  data: ResourceObject | ResourceObject[] | null
  included?: ResourceObject[]
  meta?: Record<string, unknown>
  links?: Record<string, string>
}

/**
 * How a JSON:API document is written.
 *
 * @example
 * serialize(sampleOf('orders'), { include: ['customer', 'line_items.item'], mode: 'live' })
 */
export interface DocumentOptions {
  /**
   * Dotted paths of the relationships to include, as in `include_resources` of a webhook. A relationship that the type
   * has and the resource lacks is written as `null` or `[]`. Default: every relationship that is present, at any depth.
   */
  readonly include?: readonly string[] | undefined
  /** The environment that `meta` names. Default: `test`. */
  readonly mode?: 'test' | 'live' | undefined
  /** The organization that `meta` names. Default: {@link TEST_ORGANIZATION_ID}. */
  readonly organizationId?: string | undefined
  /**
   * The API version as `YYYY-MM`. From `2026-05` on, `mode`, `organization_id` and `trace_id` are in the `meta` of the
   * document, and the `meta` of each resource has only `created_with_version`. Default: the form of older versions.
   */
  readonly apiVersion?: string | undefined
  /** `meta.trace_id`. Default: none before API version `2026-05`, a fixed one from then on. */
  readonly traceId?: string | undefined
  /** Leaves out empty `attributes` and every relationship that is not included. Default: `false`. */
  readonly sparse?: boolean | undefined
}

/** The default `organization_id` of documents, deliveries and samples made for tests. */
export const TEST_ORGANIZATION_ID = 'HkTestOrgn'

const META_MOVED = '2026-05'

/**
 * Converts a resource, a list of resources or `null` to a JSON:API document. Resources have the shape of the SDK: a
 * related resource is a nested object with `type` and `id`, or `null`, or a list. Cycles and shared references are
 * allowed. Objects of the same type and id are one resource, which is written once. Where they differ in a field, the
 * first object wins.
 */
export function toDocument<R extends Identified>(
  primary: R | readonly R[] | null,
  options: DocumentOptions = {},
): ResourceDocument {
  const meta = createMeta(options)
  const roots =
    primary === null ? [] : Array.isArray(primary) ? primary.map(asResource) : [asResource(primary as Identified)]
  const nodes = collectResources(roots, options.include && readIncludePaths(options.include))
  const objects = new Map(
    [...nodes].map(([key, node]) => [key, toResourceObject(node, meta.resource, options.sparse ?? false)]),
  )
  const data = roots.flatMap((root) => objects.get(toKey(root)) ?? [])
  for (const root of roots) objects.delete(toKey(root))
  return {
    data: Array.isArray(primary) ? data : (data[0] ?? null),
    ...(objects.size > 0 && { included: [...objects.values()] }),
    ...(meta.document && { meta: meta.document }),
  }
}

/** A resource to write, and the names of its relationships that get `data`. */
interface ResourceNode {
  readonly fields: Resource
  readonly included: Set<string>
}

/**
 * Collects every resource that the include paths lead to, or every related resource if there are no paths. It goes
 * breadth first without recursion, because chains of resources may be longer than the call stack.
 */
function collectResources(roots: readonly Resource[], include: IncludeTree | undefined): Map<string, ResourceNode> {
  const nodes = new Map<string, ResourceNode>()
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
      nodes.get(toKey(resource))?.included.add(name)
      for (const related of [value].flat().filter(isResource)) queue.push([related, tree?.get(name)])
    }
  }
  return nodes
}

function merge(nodes: Map<string, ResourceNode>, resource: Resource): void {
  const known = nodes.get(toKey(resource))
  const fields = known ? { ...resource, ...known.fields } : resource
  nodes.set(toKey(resource), { fields, included: known?.included ?? new Set() })
}

function toResourceObject(
  { fields, included }: ResourceNode,
  meta: Record<string, unknown>,
  sparse: boolean,
): ResourceObject {
  const { id, type, ...others } = fields
  const self = `/api/${type}/${id}`
  const attributes = Object.entries(others).filter(([name, value]) => !isRelationship(type, name, value))
  const names = [...new Set(sparse ? included : [...getRelationships(type).keys(), ...included])]
  const relationships = names.map((name): [string, RelationshipObject] => {
    const links = { self: `${self}/relationships/${name}`, related: `${self}/${name}` }
    return [name, included.has(name) ? { data: toLinkage(type, name, fields[name]), links } : { links }]
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

function toLinkage(type: string, name: string, value: unknown): Identifier | Identifier[] | null {
  if (Array.isArray(value)) return value.filter(isResource).map(toIdentifier)
  if (isResource(value)) return toIdentifier(value)
  return getRelationships(type).get(name)?.isList ? [] : null
}

function toIdentifier({ type, id }: Resource): Identifier {
  return { type, id }
}

interface Meta {
  readonly resource: Record<string, unknown>
  readonly document?: Record<string, unknown>
}

function createMeta(options: DocumentOptions): Meta {
  const { mode = 'test', organizationId = TEST_ORGANIZATION_ID, apiVersion = '', traceId } = options
  const meta = { mode, organization_id: organizationId }
  if (apiVersion < META_MOVED) return { resource: traceId === undefined ? meta : { ...meta, trace_id: traceId } }
  const trace_id = traceId ?? '4bf92f3577b34da6a3ce929d0e0e4736'
  return { resource: { created_with_version: apiVersion }, document: { ...meta, trace_id } }
}

function asResource(resource: Identified): Resource {
  return resource as Resource
}

function toKey({ type, id }: Resource): string {
  return `${type}/${id}`
}
