import fc from 'fast-check'

interface Identifier {
  readonly type: string
  readonly id: string
}

interface GraphResource extends Identifier {
  readonly attributes?: Record<string, unknown> | null
  readonly relationships?: Record<string, { readonly data?: Identifier | readonly Identifier[] | null }> | null
}

export interface GraphDocument {
  readonly data: GraphResource
  readonly included: readonly GraphResource[]
}

/** Few types and ids, so that graphs are dense: they have duplicates, cycles, and references to absent resources. */
const identifier = fc.record({ type: fc.constantFrom('a', 'ab', '__proto__'), id: fc.constantFrom('', 'b', 'bc', 'c') })

const relationship = fc.oneof(
  fc.constant({}),
  fc.record({ data: fc.oneof(fc.constant(null), identifier, fc.array(identifier, { maxLength: 5 })) }),
)

const attributes = fc.dictionary(
  fc.constantFrom('id', 'type', 'next', 'name', 'constructor'),
  fc.jsonValue({ maxDepth: 1 }),
)

const resource: fc.Arbitrary<GraphResource> = fc
  .record({
    self: identifier,
    attributes: fc.option(attributes),
    relationships: fc.option(fc.dictionary(fc.constantFrom('next', 'items', 'constructor'), relationship)),
  })
  .map(({ self, ...rest }) => ({ ...self, ...rest }))

/** Documents whose resources reference each other at random. */
export const graphs: fc.Arbitrary<GraphDocument> = fc.record({
  data: resource,
  included: fc.array(resource, { maxLength: 12 }),
})

/** Links a document in the simplest way, without regard to time or memory: the reference for `linkResources`. */
export function linkNaively({ data, included }: GraphDocument): Record<string, unknown> {
  const all = [data, ...included].map((one) => ({
    one,
    linked: { ...withoutInherited(one.attributes ?? {}), id: one.id, type: one.type } as Record<string, unknown>,
  }))
  const find = (target: Identifier) =>
    all.find(({ one }) => one.type === target.type && one.id === target.id)?.linked ?? { ...target }
  for (const { one, linked } of all) {
    for (const [name, { data: target }] of Object.entries(one.relationships ?? {})) {
      if (target === undefined || name in Object.prototype) continue
      linked[name] = target === null ? null : 'length' in target ? target.map(find) : find(target)
    }
  }
  const [primary] = all
  if (!primary) throw new Error('A document has a primary resource.')
  return primary.linked
}

/** Whether two graphs of plain values are the same: the same values, and the same objects in the same places. */
export function isSameGraph(left: unknown, right: unknown, pairs = new Map<object, object>()): boolean {
  if (!isObject(left) || !isObject(right)) return Object.is(left, right)
  const partner = pairs.get(left)
  if (partner) return partner === right
  if ([...pairs.values()].includes(right) || Array.isArray(left) !== Array.isArray(right)) return false
  pairs.set(left, right)
  const keys = Object.keys(left).sort()
  if (keys.join('\n') !== Object.keys(right).sort().join('\n')) return false
  return keys.every((key) => isSameGraph(left[key], right[key], pairs))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function withoutInherited<T>(value: T): T {
  const isUnsafe = (name: string, field: unknown) =>
    name === '__proto__' || (name in Object.prototype && isObject(field))
  return JSON.parse(JSON.stringify(value), (name, field) => (isUnsafe(name, field) ? undefined : field))
}
