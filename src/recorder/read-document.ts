import { eventIdOf as computeEventId } from '../core/event/event.ts'
import type { ResourceReference } from '../drivers.ts'

/** A resource of a document. Nothing of it is checked: it may come from anybody. */
export interface LooseResource {
  readonly type?: unknown
  readonly id?: unknown
  readonly attributes?: Readonly<Record<string, unknown>> | null
  readonly meta?: Readonly<Record<string, unknown>> | null
}

export interface Subject {
  readonly resource: ResourceReference | undefined
  readonly organizationId: string | undefined
  readonly mode: 'test' | 'live' | undefined
}

/** The value of a JSON text; `undefined` if it is none. */
export function parseBody(body: Uint8Array): unknown {
  try {
    return JSON.parse(toBuffer(body).toString('utf8'))
  } catch {
    return undefined
  }
}

/** What a document is about. */
export function readSubject(document: unknown): Subject {
  const { data, meta } = toObject(document)
  const resource = toObject(data) as LooseResource
  const own = { ...toObject(meta), ...toObject(resource.meta) }
  const { organization_id: organizationId, mode } = own
  return {
    resource: toReference(resource),
    organizationId: typeof organizationId === 'string' ? organizationId : undefined,
    mode: mode === 'test' || mode === 'live' ? mode : undefined,
  }
}

/** The id of the event that a document would be; `undefined` if it is none, or has no canonical form. */
export async function eventIdOf(topic: string, document: unknown): Promise<string | undefined> {
  try {
    return await computeEventId(topic, document)
  } catch {
    return undefined
  }
}

/** All resources of a document: its own, and those that it includes. */
export function listResources(document: unknown): readonly LooseResource[] {
  const { data, included } = toObject(document)
  return [data, included].flat().map((resource) => toObject(resource))
}

const NUMBERED: readonly unknown[] = ['orders', 'shipments', 'returns', 'parcels']
const NUMBER = /^#?[A-Za-z0-9][\w/-]{0,39}$/

/** The number of an order, a shipment, a return or a parcel. */
export function readNumber({ type, attributes }: LooseResource): string | undefined {
  const number = attributes?.number
  if (!NUMBERED.includes(type) || (typeof number !== 'string' && typeof number !== 'number')) return undefined
  return isNumber(String(number)) ? String(number) : undefined
}

/** Whether a text has the form of a number of an order. */
export function isNumber(value: unknown): value is string {
  return typeof value === 'string' && NUMBER.test(value)
}

/** The email addresses of a resource: `email`, `customer_email` and the like. */
export function readEmails({ attributes }: LooseResource): string[] {
  const fields = Object.entries(toObject(attributes)).filter(([name]) => /(^|_)email$/.test(name))
  return fields.flatMap(([, value]) => (typeof value === 'string' ? [value] : []))
}

export function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}
}

export function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function toReference(resource: LooseResource): ResourceReference | undefined {
  const { type, id } = resource
  if (typeof type !== 'string' || typeof id !== 'string') return undefined
  const number = type === 'orders' ? readNumber(resource) : undefined
  return { type, id, ...(number !== undefined && { number }) }
}
