import type { ResourceReference } from '../../core/inbox/listing.ts'

interface CarriedResource {
  readonly type?: unknown
  readonly id?: unknown
  readonly attributes?: Readonly<Record<string, unknown>> | null
}

/** Whether a stored document is about a resource, or includes it. Not if the document cannot be read. */
export function carriesResource(body: Uint8Array, { type, id }: ResourceReference): boolean {
  return readResources(body).some((resource) => resource.type === type && String(resource.id) === id)
}

/**
 * Whether a resource of a stored document has this id, this number or this email address. Upper and lower case are the
 * same: people write addresses either way.
 */
export function carriesText(body: Uint8Array, text: string): boolean {
  const wanted = text.toLowerCase()
  return readResources(body).some(({ id, attributes }) =>
    [id, ...readNames(attributes ?? {})].some((value) => String(value).toLowerCase() === wanted),
  )
}

/** `number` is that of an order; `email`, `customer_email` and the like are addresses. */
function readNames(attributes: Readonly<Record<string, unknown>>): readonly unknown[] {
  const names = Object.keys(attributes).filter((name) => name === 'number' || /(^|_)email$/.test(name))
  return names.map((name) => attributes[name])
}

function readResources(body: Uint8Array): readonly CarriedResource[] {
  try {
    const { data, included = [] } = JSON.parse(Buffer.from(body).toString())
    return [data, included].flat().map((resource) => Object(resource))
  } catch {
    return []
  }
}
