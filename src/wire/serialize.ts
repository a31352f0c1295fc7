import {
  type DocumentOptions,
  type Identified,
  type ResourceDocument,
  type ResourceObject,
  toDocument,
} from './document.ts'

/**
 * The JSON text of a resource, of a list, or of nothing (`null`), byte for byte as Commerce Layer's Ruby serialiser would
 * write it: {@link toDocument}, then {@link writeDocument}. Resources are SDK-shaped, plain objects; see there.
 */
export function serialize<R extends Identified>(resource: R | readonly R[] | null, options?: DocumentOptions): string {
  return writeDocument(toDocument(resource, options))
}

/**
 * The JSON text of a document. It differs from `JSON.stringify` in two ways, both seen in captured deliveries: a number in
 * an attribute named `*_float` always has a decimal point (`20.0`; numbers inside an attribute, as in `metadata`, do not),
 * and `&`, `<`, `>`, U+2028 and U+2029 are written as `\u0026` and so on, which is how Rails escapes JSON.
 */
export function writeDocument(document: ResourceDocument): string {
  const text = writeMembers(document, (name, value) =>
    name === 'data' || name === 'included' ? writeData(value) : write(value),
  )
  // None of these can stand outside a string in JSON, so the whole text can be searched for them.
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

/** As in `JSON.stringify`, a member that has no JSON form is left out. */
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
