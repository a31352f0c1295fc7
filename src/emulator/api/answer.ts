import { randomBytes } from 'node:crypto'
import { type RelationshipObject, type ResourceDocument, type ResourceObject, toDocument } from '../../wire/document.ts'
import { type IncludeTree, readIncludePaths } from '../../wire/include-paths.ts'
import type { Resource } from '../../wire/schema.ts'
import { writeDocument } from '../../wire/serialize.ts'
import type { Records } from '../records.ts'
import { sortKeysAsJsonb } from './jsonb.ts'
import type { Page, Shape } from './query.ts'
import { type ApiRecord, findRelationship, findSchema, isList, readAttribute } from './schema.ts'

/** The data that every answer needs. */
export interface AnswerOptions {
  readonly records: Records
  readonly mode: 'test' | 'live'
  readonly organization: { readonly id: string; readonly slug: string }
  /** The emulator's base URL, once it listens: links are absolute, as recorded. */
  readonly url: () => string
}

/** The members of a document that are not resources. */
export type AnswerParts = Pick<ResourceDocument, 'meta' | 'links'>

/** Writes a record, a list of records or `null` as a document. `parts` are its members that are not resources. */
export function writeAnswer(
  primary: ApiRecord | readonly ApiRecord[] | null,
  shape: Shape,
  { records, mode, organization, url }: AnswerOptions,
  parts: AnswerParts = {},
): string {
  const tree = readIncludePaths(shape.include)
  const resources = isList(primary)
    ? primary.map((record) => toResource(record, tree, shape, records))
    : primary && toResource(primary, tree, shape, records)
  const traceId = randomBytes(16).toString('hex')
  const document = toDocument(resources, { include: shape.include, mode, organizationId: organization.id, traceId })
  const complete = (object: ResourceObject) => completeRelationships(object, shape, url())
  return writeDocument({
    data: Array.isArray(document.data) ? document.data.map(complete) : document.data && complete(document.data),
    ...(document.included && { included: document.included.map(complete) }),
    ...parts,
  })
}

/** Creates `meta` and `links` of a page. The links are absolute, as recorded. */
export function createPageParts(base: string, url: URL, { number, size }: Page, count: number): AnswerParts {
  const last = Math.max(1, Math.ceil(count / size))
  const linkTo = (page: number): string => {
    const params = new URLSearchParams(url.searchParams)
    params.set('page[number]', String(page))
    params.set('page[size]', String(size))
    return `${base}${url.pathname}?${params}`
  }
  return {
    meta: { record_count: count, page_count: last },
    links: {
      first: linkTo(1),
      ...(number > 1 && { prev: linkTo(Math.min(number - 1, last)) }),
      ...(number < last && { next: linkTo(number + 1) }),
      last: linkTo(last),
    },
  }
}

/** Converts a record to the shape of the SDK, with the relationships of the tree. */
function toResource(record: ApiRecord, tree: IncludeTree, { fields }: Shape, records: Records): Resource {
  const schema = findSchema(record.type)
  const wanted = fields.get(record.type)
  const resource: Resource = { id: record.id, type: record.type }
  for (const [name, kind] of Object.entries(schema?.attributes ?? {})) {
    if (wanted && !wanted.has(name)) continue
    const value = readAttribute(record, name)
    resource[name] = kind === 'json' ? sortKeysAsJsonb(value) : value
  }
  for (const [name, below] of tree) {
    const related = (schema && findRelationship(schema, name))?.related(record, records) ?? null
    resource[name] = isList(related)
      ? related.map((one) => toResource(one, below, { include: [], fields }, records))
      : related && toResource(related, below, { include: [], fields }, records)
  }
  return resource
}

/**
 * Replaces the relationships of a resource by those of the API's schema. `toDocument` knows only those of the SDK,
 * which has no `versions` and would write that empty list as an attribute.
 */
function completeRelationships(object: ResourceObject, { fields }: Shape, base: string): ResourceObject {
  const schema = findSchema(object.type)
  const wanted = fields.get(object.type)
  const attributes = { ...object.attributes }
  const relationships: Record<string, RelationshipObject> = {}
  for (const name of Object.keys(schema?.relationships ?? {})) {
    const data = name in attributes && { data: [] }
    delete attributes[name]
    if (wanted && !wanted.has(name)) continue
    const path = `${base}${object.links.self}/`
    const links = { self: `${path}relationships/${name}`, related: `${path}${name}` }
    relationships[name] = { ...data, ...object.relationships?.[name], links }
  }
  return { ...object, links: { self: `${base}${object.links.self}` }, attributes, relationships }
}
