import type { LooseResource, ResourceOf } from '../../commerce-layer/resources.ts'
import type { TopicOf, TopicResource } from '../../commerce-layer/topics.ts'
import { type IncludeTree, readIncludePaths } from '../include-paths.ts'
import { EXAMPLE_TIME, getRelationships, isKnownType, isRelationship, isResource, type Resource } from '../schema.ts'
import { toAmountFields } from './amount.ts'
import { createResourceFactory, type ResourceFactory } from './make.ts'
import { makeSampleOrder } from './order.ts'
import { collectLinked, setTimes } from './times.ts'
import { getUsualIncludes } from './usual-includes.ts'

/** The type of a sample: `Order` for `orders`, and so on. Types without topics are {@link LooseResource}. */
export type SampleOf<R extends string> = R extends TopicResource
  ? ResourceOf<Exclude<TopicOf<R>, `${string}.destroy`>>
  : LooseResource

type Fields = Readonly<Record<string, unknown>>

/** The concrete type of a sample for families of types: `promotions` is the name of a family, not of a type. */
const CONCRETE: ReadonlyMap<string, string> = new Map([
  ['promotions', 'percentage_discount_promotions'],
  ['transactions', 'authorizations'],
])

/** Samples that are taken from a whole sample order, so that they are linked to it. */
const PARTS_OF_ORDER = new Map<string, (make: ResourceFactory, fields: Fields) => Resource | undefined>([
  ['orders', makeSampleOrder],
  ['line_items', (make) => firstResource(makeSampleOrder(make).line_items)],
  ['line_item_options', (make) => firstResource(makeSampleOrder(make).line_item_options)],
  ['shipments', (make) => firstResource(makeSampleOrder(make).shipments)],
  ['parcels', (make) => firstResource(firstResource(makeSampleOrder(make).shipments)?.parcels)],
  ['stock_line_items', (make) => firstResource(firstResource(makeSampleOrder(make).shipments)?.stock_line_items)],
  ['authorizations', (make) => firstResource(makeSampleOrder(make).authorizations)],
  ['captures', (make) => firstResource(makeSampleOrder(make).captures)],
  ['refunds', (make) => firstResource(makeSampleOrder(make, { payment_status: 'refunded' }).refunds)],
  ['voids', (make) => firstResource(makeSampleOrder(make, { payment_status: 'voided' }).voids)],
  ['returns', makeSampleReturn],
])

/**
 * Makes a new sample resource, in the shape of the SDK and with its relationships linked, as handlers receive it. For
 * `orders` it is a paid order with customer, addresses, line items, shipments and transactions, where
 * `line_items[0].order` is the order itself.
 *
 * - Names and most values are the examples of `@commercelayer/sdk`. Amounts are in euros and add up. Formatted amounts
 *   such as `€57,00` are the only values that are not ASCII.
 * - Ids are made from the type, so every call gives an equal resource.
 * - `promotions` and `transactions` give one of their concrete types.
 * - A type that the SDK does not know gives a resource with only the attributes that all resources have.
 *
 * @example
 * const order = sampleOf('orders')
 * order.line_items?.[0]?.order === order // true
 */
export function sampleOf<R extends TopicResource | (string & {})>(type: R): SampleOf<R> {
  const make = createResourceFactory()
  const sample = buildSample(type, make)
  growSample(sample, readIncludePaths(getUsualIncludes(sample.type)), make)
  setTimes(collectLinked(sample), EXAMPLE_TIME)
  return sample as Resource & SampleOf<R>
}

/** The type of the sample for a type, which may be the name of a family. */
export function toConcreteType(type: string): string {
  return CONCRETE.get(type) ?? type
}

/** Builds a sample with the resources that are part of it, and no other relationships. */
export function buildSample(type: string, make: ResourceFactory, fields: Fields = {}): Resource {
  const concrete = toConcreteType(type)
  const part = PARTS_OF_ORDER.get(concrete)?.(make, fields)
  return part ? Object.assign(part, fields) : make(concrete, fields)
}

/** Attaches samples for all relationships of the tree that the resource lacks. A list gets one sample. */
export function growSample(resource: Resource, tree: IncludeTree, make: ResourceFactory): void {
  for (const [name, below] of tree) {
    const relationship = getRelationships(resource.type).get(name)
    if (relationship && resource[name] === undefined) {
      const related = buildSample(relationship.targets[0] ?? name, make)
      linkBack(related, resource)
      resource[name] = relationship.isList ? [related] : related
    }
    for (const related of [resource[name]].flat().filter(isResource)) growSample(related, below, make)
  }
}

/**
 * Checks that every name in the tree is a relationship of the type above it. Where a relationship leads to several
 * types (`line_items.item`), one of them must have it. Types that the SDK does not know may have any relationship.
 *
 * @throws TypeError for a name that is not a relationship.
 */
export function checkIncludes(types: readonly string[], tree: IncludeTree): void {
  if (!types.every(isKnownType)) return
  for (const [name, below] of tree) {
    const found = types.flatMap((type) => getRelationships(type).get(name) ?? [])
    if (found.length === 0) {
      const names = new Set(types.flatMap((type) => [...getRelationships(type).keys()]))
      throw new TypeError(
        `"${name}" is not a relationship of ${types.join(', ')}; include one of: ${[...names].join(', ')}`,
      )
    }
    checkIncludes([...new Set(found.flatMap(({ targets }) => targets))], below)
  }
}

/** Removes all relationships that are not in the tree, from the sample and from its related resources. */
export function pruneSample(resource: Resource, tree: IncludeTree): void {
  const keptNames = new Map<Resource, Set<string>>()
  const queue: [Resource, IncludeTree][] = [[resource, tree]]
  for (const [reached, below] of queue) {
    const names = keptNames.get(reached) ?? new Set()
    keptNames.set(reached, names)
    for (const [name, next] of below) {
      names.add(name)
      for (const related of [reached[name]].flat().filter(isResource)) queue.push([related, next])
    }
  }
  for (const [reached, names] of keptNames) {
    for (const [name, value] of Object.entries(reached)) {
      if (!names.has(name) && isRelationship(reached.type, name, value)) delete reached[name]
    }
  }
}

/**
 * Links a new resource back to its owner where a relationship is named after the owner: `customer` of a customer
 * address.
 */
function linkBack(related: Resource, owner: Resource): void {
  for (const [name, { isList, targets }] of getRelationships(related.type)) {
    const isNamedAfterOwner = owner.type === `${name}s` || owner.type === `${name}es`
    if (!isList && isNamedAfterOwner && targets.includes(owner.type)) related[name] = owner
  }
}

function makeSampleReturn(make: ResourceFactory): Resource {
  const order = makeSampleOrder(make, { fulfillment_status: 'fulfilled' })
  const line_item = firstResource(order.line_items)
  const { customer, shipping_address: origin_address } = order
  const parts = { order, customer, origin_address, stock_location: make('stock_locations') }
  const sample = make('returns', {
    ...parts,
    reference_capture: firstResource(order.captures),
    skus_count: 1,
    ...toAmountFields('estimated_refund_amount', 1500),
  })
  const item = {
    sku_code: line_item?.sku_code,
    name: line_item?.name,
    quantity: 1,
    ...toAmountFields('total_amount', 1500),
  }
  sample.return_line_items = [make('return_line_items', { ...item, return: sample, line_item })]
  return sample
}

function firstResource(list: unknown): Resource | undefined {
  const item: unknown = Array.isArray(list) ? list[0] : undefined
  return isResource(item) ? item : undefined
}
