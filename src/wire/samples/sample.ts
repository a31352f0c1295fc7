import type { LooseResource, ResourceOf } from '../../commerce-layer/resources.ts'
import type { TopicOf, TopicResource } from '../../commerce-layer/topics.ts'
import { type IncludeTree, readIncludePaths } from '../include-paths.ts'
import { isKnownType, isRelationship, isResource, type Resource, relationshipsOf } from '../schema.ts'
import { amount } from './amount.ts'
import { createMake, type Make } from './make.ts'
import { makeSampleOrder } from './order.ts'
import { usualIncludesOf } from './usual-includes.ts'

/** The SDK's type of a resource for those that have topics, e.g. `Order` for `orders`; loose for the others. */
export type SampleOf<R extends string> = R extends TopicResource
  ? ResourceOf<Exclude<TopicOf<R>, `${string}.destroy`>>
  : LooseResource

type Fields = Readonly<Record<string, unknown>>

/** Families of topics carry one of several concrete types; these stand for the family. */
const CONCRETE: ReadonlyMap<string, string> = new Map([
  ['promotions', 'percentage_discount_promotions'],
  ['transactions', 'authorizations'],
])

/** Resources that belong to an order are taken out of a whole one, so that they come with it. */
const PARTS_OF_ORDER = new Map<string, (make: Make, fields: Fields) => Resource | undefined>([
  ['orders', makeSampleOrder],
  ['line_items', (make) => first(makeSampleOrder(make).line_items)],
  ['line_item_options', (make) => first(makeSampleOrder(make).line_item_options)],
  ['shipments', (make) => first(makeSampleOrder(make).shipments)],
  ['parcels', (make) => first(first(makeSampleOrder(make).shipments)?.parcels)],
  ['stock_line_items', (make) => first(first(makeSampleOrder(make).shipments)?.stock_line_items)],
  ['authorizations', (make) => first(makeSampleOrder(make).authorizations)],
  ['captures', (make) => first(makeSampleOrder(make).captures)],
  ['refunds', (make) => first(makeSampleOrder(make, { payment_status: 'refunded' }).refunds)],
  ['voids', (make) => first(makeSampleOrder(make, { payment_status: 'voided' }).voids)],
  ['returns', makeSampleReturn],
])

/**
 * A fresh sample resource, shaped as the SDK returns one and linked as the receiver links it: for `orders` a paid order with
 * customer, addresses, line items, shipments and transactions, whose `line_items[0].order` is the very same object. Names
 * and most values are those of `@commercelayer/sdk`; amounts add up, in euros (`€57,00` is the only text that is not ASCII).
 * Ids are made from the type, so that every call gives the same resource. `promotions` and `transactions` give a concrete
 * type; a type that the SDK does not know gives the attributes that all resources have.
 */
export function sampleOf<R extends TopicResource | (string & {})>(type: R): SampleOf<R> {
  const make = createMake()
  const sample = buildSample(type, make)
  growSample(sample, readIncludePaths(usualIncludesOf(sample.type)), make)
  return sample as Resource & SampleOf<R>
}

/** A sample with what belongs to it, before anything else is attached. */
export function buildSample(type: string, make: Make, fields: Fields = {}): Resource {
  const concrete = CONCRETE.get(type) ?? type
  const part = PARTS_OF_ORDER.get(concrete)?.(make, fields)
  return part ? Object.assign(part, fields) : make(concrete, fields)
}

/** Attaches a sample of every relationship within the tree that is not there yet, one in a list; what is there stays. */
export function growSample(resource: Resource, tree: IncludeTree, make: Make): void {
  for (const [name, below] of tree) {
    const relationship = relationshipsOf(resource.type).get(name)
    if (relationship && resource[name] === undefined) {
      const related = buildSample(relationship.targets[0] ?? name, make)
      linkBack(related, resource)
      resource[name] = relationship.isList ? [related] : related
    }
    for (const related of [resource[name]].flat().filter(isResource)) growSample(related, below, make)
  }
}

/**
 * Throws a TypeError for a name in the tree that is not a relationship of the type above it; below one that leads to several
 * types (`line_items.item`), not of any of them. Types that the SDK does not know may have any.
 */
export function checkIncludes(types: readonly string[], tree: IncludeTree): void {
  if (!types.every(isKnownType)) return
  for (const [name, below] of tree) {
    const found = types.flatMap((type) => relationshipsOf(type).get(name) ?? [])
    if (found.length === 0) {
      const names = new Set(types.flatMap((type) => [...relationshipsOf(type).keys()]))
      throw new TypeError(
        `"${name}" is not a relationship of ${types.join(', ')}; include one of: ${[...names].join(', ')}`,
      )
    }
    checkIncludes([...new Set(found.flatMap(({ targets }) => targets))], below)
  }
}

/** Leaves only the relationships within the tree, and only what can be reached by them. */
export function pruneSample(resource: Resource, tree: IncludeTree): void {
  const kept = new Map<Resource, Set<string>>()
  const queue: [Resource, IncludeTree][] = [[resource, tree]]
  for (const [reached, below] of queue) {
    const names = kept.get(reached) ?? new Set()
    kept.set(reached, names)
    for (const [name, next] of below) {
      names.add(name)
      for (const related of [reached[name]].flat().filter(isResource)) queue.push([related, next])
    }
  }
  for (const [reached, names] of kept) {
    for (const [name, value] of Object.entries(reached)) {
      if (!names.has(name) && isRelationship(reached.type, name, value)) delete reached[name]
    }
  }
}

/** `customer` of a customer's address is that customer: where the name says so, a new resource points back. */
function linkBack(related: Resource, owner: Resource): void {
  for (const [name, { isList, targets }] of relationshipsOf(related.type)) {
    const isNamedAfterOwner = owner.type === `${name}s` || owner.type === `${name}es`
    if (!isList && isNamedAfterOwner && targets.includes(owner.type)) related[name] = owner
  }
}

function makeSampleReturn(make: Make): Resource {
  const order = makeSampleOrder(make, { fulfillment_status: 'fulfilled' })
  const line_item = first(order.line_items)
  const { customer, shipping_address: origin_address } = order
  const parts = { order, customer, origin_address, stock_location: make('stock_locations') }
  const sample = make('returns', {
    ...parts,
    reference_capture: first(order.captures),
    skus_count: 1,
    ...amount('estimated_refund_amount', 1500),
  })
  const item = { sku_code: line_item?.sku_code, name: line_item?.name, quantity: 1, ...amount('total_amount', 1500) }
  sample.return_line_items = [make('return_line_items', { ...item, return: sample, line_item })]
  return sample
}

function first(list: unknown): Resource | undefined {
  const item: unknown = Array.isArray(list) ? list[0] : undefined
  return isResource(item) ? item : undefined
}
