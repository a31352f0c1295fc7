import {
  type DocumentOptions,
  type Identified,
  type ResourceDocument,
  type ResourceObject,
  toDocument,
} from './document.ts'

/**
 * Writes a resource, a list of resources or `null` as the JSON text of a JSON:API document. The bytes are those that
 * Commerce Layer's Ruby serializer writes: an integer in an attribute `*_float` gets a decimal point, and `&` becomes
 * `\u0026`. Resources are plain objects in the shape of the SDK: a related resource is a nested object with `type` and
 * `id`. Cycles are allowed.
 *
 * @example
 * const body = serialize({ id: 'OeRyhjDlje', type: 'customers', email: 'zoe@example.com' })
 */
export function serialize<R extends Identified>(resource: R | readonly R[] | null, options?: DocumentOptions): string {
  return writeDocument(toDocument(resource, options))
}

/**
 * Writes a document as JSON text. It differs from `JSON.stringify` in two ways. Captured deliveries show both.
 *
 * - A number in an attribute named `*_float` always has a decimal point: `20.0`. Numbers inside `metadata` do not.
 * - `&`, `<`, `>`, U+2028 and U+2029 are written as `\u0026` and so on, as Rails escapes JSON.
 */
export function writeDocument(document: ResourceDocument): string {
  const text = writeMembers(document, (name, value) =>
    name === 'data' || name === 'included' ? writeData(value) : write(value),
  )
  // In JSON these characters occur only inside strings, so it is safe to replace them in the whole text.
  return text.replace(/[&<>\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function writeData(data: unknown): string | undefined {
  if (Array.isArray(data)) return `[${data.map(writeData).join(',')}]`
  return data === null || data === undefined ? write(data) : writeResource(data as ResourceObject)
}

function writeResource(resource: ResourceObject): string {
  return writeMembers(resource, (name, value) =>
    name === 'attributes' && value !== undefined ? writeMembers(value as object, writeAttribute) : write(value),
  )
}

function writeAttribute(name: string, value: unknown): string | undefined {
  const text = write(value)
  return name.endsWith('_float') && typeof value === 'number' && /^-?\d+$/.test(text ?? '') ? `${text}.0` : text
}

/** Leaves out a member that has no JSON form, as `JSON.stringify` does. */
function writeMembers(value: object, writeMember: (name: string, value: unknown) => string | undefined): string {
  const members: string[] = []
  for (const [name, member] of Object.entries(value)) {
    const text = writeMember(name, member)
    if (text !== undefined) members.push(`${write(name)}:${text}`)
  }
  return `{${members.join(',')}}`
}

function write(value: unknown): string | undefined {
  return JSON.stringify(value)
}
