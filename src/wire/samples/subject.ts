import { resourceOf } from '../../commerce-layer/topics.ts'
import { readIncludePaths } from '../include-paths.ts'
import { EXAMPLE_TIME, isResource, type Resource } from '../schema.ts'
import { applyChanges } from './changes.ts'
import { createResourceFactory, type ResourceFactory } from './make.ts'
import { findEventAttributes } from './moments.ts'
import { reconcile } from './reconcile.ts'
import { buildSample, checkIncludes, growSample, pruneSample, toConcreteType } from './sample.ts'
import { collectLinked, isHappened, setTimes } from './times.ts'
import { getUsualIncludes } from './usual-includes.ts'

/** The resource of a delivery as a caller gives it: a whole resource, or changes to the sample. */
interface SubjectChanges {
  readonly id?: string | undefined
  readonly type?: string | undefined
}

interface SubjectOptions {
  /**
   * The relationships of the sample. The ones that it lacks are added, all others are removed. Default: the usual ones.
   */
  readonly include?: readonly string[] | undefined
  /** More relationships to attach to the sample. Names that its type does not have are ignored. */
  readonly attach?: readonly string[]
  /** What makes the sample a new one. Default: every sample of a topic is the same. */
  readonly occurrence?: Occurrence
}

/** An event that happens once. Its resource has another id than all others, and so have the parts of an order. */
interface Occurrence {
  /** When it happens, ISO 8601. */
  readonly at: string
  /** The number of its order. */
  readonly orderNumber: string
}

/** What is new with each order. Customers, SKUs and the like stay the same. */
const ORDERED: ReadonlySet<string> = new Set([
  'addresses',
  'authorizations',
  'captures',
  'line_item_options',
  'line_items',
  'orders',
  'parcel_line_items',
  'parcels',
  'refunds',
  'return_line_items',
  'returns',
  'shipments',
  'stock_line_items',
  'stripe_payments',
  'voids',
])

/** Creates the resource that a delivery of the topic carries, from the `resource` option of `createDelivery`. */
export function createSubject(topic: string, resource: SubjectChanges, options: SubjectOptions = {}): Resource {
  if (topic.endsWith('.destroy')) {
    const { id, type } = buildSample(resource.type ?? resourceOf(topic), createFactoryFor(topic, resource, options))
    return { ...resource, id: resource.id ?? id, type: resource.type ?? type }
  }
  return isResource(resource) ? resource : createSampleFor(topic, resource, options)
}

function createSampleFor(topic: string, changes: SubjectChanges, options: SubjectOptions): Resource {
  const { include, attach = [], occurrence } = options
  const make = createFactoryFor(topic, changes, options)
  const sample = buildSample(changes.type ?? resourceOf(topic), make, findEventAttributes(topic))
  const usual = [...getUsualIncludes(sample.type), ...(topic.endsWith('.tagged') ? ['tags'] : [])]
  const tree = readIncludePaths(include ?? usual)
  checkIncludes([sample.type], tree)
  growSample(sample, tree, make)
  pruneSample(sample, tree)
  growSample(sample, readIncludePaths(attach), make)
  const linked = collectLinked(sample)
  const updatedAt = findUpdate(changes, occurrence?.at ?? EXAMPLE_TIME)
  setTimes(linked, updatedAt)
  if (occurrence) setOrder(linked, occurrence.orderNumber)
  const ours = new Set(linked)
  const given = applyChanges(sample, changes, (type) => {
    const made = make(type)
    setTimes([made], updatedAt)
    ours.add(made)
    return made
  })
  reconcile({ ours, given })
  return sample
}

function createFactoryFor(topic: string, { type }: SubjectChanges, { occurrence }: SubjectOptions): ResourceFactory {
  const primary = toConcreteType(type ?? resourceOf(topic))
  const isNew = (type: string) => ORDERED.has(type) || type === primary
  return createResourceFactory(occurrence && isNew)
}

/** The time of the last update: the one that was given, or the last of all times that were. */
function findUpdate(changes: object, otherwise: string): string {
  const { updated_at, ...times } = changes as Record<string, unknown>
  if (isHappened('updated_at', updated_at)) return updated_at
  return Object.entries(times).reduce(
    (last, [name, time]) => (isHappened(name, time) && time > last ? time : last),
    otherwise,
  )
}

/** Gives the order a number and a token of its own. */
function setOrder(resources: Iterable<Resource>, number: string): void {
  for (const order of resources) {
    if (order.type !== 'orders') continue
    const token = crypto.randomUUID().replaceAll('-', '')
    const checkout_url = String(order.checkout_url).replace(String(order.token), token)
    Object.assign(order, { number, token, checkout_url })
  }
}
