import type { Context, Hono } from 'hono'
import { createMake } from '../../wire/samples/make.ts'
import type { OrganizationRecord } from '../records.ts'
import { type AnswerOptions, type AnswerParts, partsOfPage, writeAnswer } from './answer.ts'
import { notFound } from './errors.ts'
import { JSON_API } from './negotiation.ts'
import { readListQuery, readShape, type Shape } from './query.ts'
import {
  type ApiRecord,
  type CollectionSchema,
  collectionOf,
  isList,
  ORGANIZATIONS,
  relationshipOf,
  type TypeSchema,
} from './schema.ts'

/** Lists, resources, what is related to them, and the identifiers of that: alike for all types. */
export function addReading(app: Hono, options: AnswerOptions): void {
  const { records } = options
  app.get('/api/organization', (c) => {
    return answer(organizationOf(options), readShape(ORGANIZATIONS, paramsOf(c)), options)
  })
  app.get('/api/:type', (c) => {
    const schema = collectionOfPath(c)
    return answerList(c, schema, [...schema.collection(records).values()], options)
  })
  app.get('/api/:type/:id', (c) => {
    const schema = collectionOfPath(c)
    const record = findRecord(schema.collection(records), c.req.param('id'))
    return answer(record, readShape(schema, paramsOf(c)), options)
  })
  app.get('/api/:type/:id/:relationship', (c) => {
    const { related, schema } = findRelated(c, options)
    if (isList(related)) return answerList(c, schema, related, options)
    return answer(related, readShape(schema, paramsOf(c)), options)
  })
  app.get('/api/:type/:id/relationships/:relationship', (c) => {
    const { related } = findRelated(c, options)
    const data = isList(related) ? related.map(identifierOf) : related && identifierOf(related)
    const self = new URL(c.req.url).pathname
    return respond(JSON.stringify({ links: { self, related: self.replace('/relationships/', '/') }, data }))
  })
}

export function answer(
  record: ApiRecord | null,
  shape: Shape,
  options: AnswerOptions,
  status: 200 | 201 = 200,
): Response {
  return respond(writeAnswer(record, shape, options), status)
}

/** @throws ApiError `RECORD_NOT_FOUND` */
export function findRecord<R>(records: ReadonlyMap<string, R>, id: string | undefined): R {
  const record = records.get(id ?? '')
  if (record === undefined) throw notFound()
  return record
}

function answerList(c: Context, schema: TypeSchema, all: readonly ApiRecord[], options: AnswerOptions): Response {
  const { filters, compare, page, ...shape } = readListQuery(schema, paramsOf(c), options.records)
  const found = all.filter((record) => filters.every((filter) => filter(record)))
  if (compare) found.sort(compare)
  const start = (page.number - 1) * page.size
  const parts: AnswerParts = partsOfPage(new URL(c.req.url), page, found.length)
  return respond(writeAnswer(found.slice(start, start + page.size), shape, options, parts))
}

function findRelated(c: Context, { records }: AnswerOptions) {
  const schema = collectionOfPath(c)
  const record = findRecord(schema.collection(records), c.req.param('id'))
  const relationship = relationshipOf(schema, c.req.param('relationship') ?? '')
  if (!relationship) throw notFound()
  return { related: relationship.related(record, records), schema: relationship.schema() }
}

function collectionOfPath(c: Context): CollectionSchema {
  const schema = collectionOf(c.req.param('type') ?? '')
  if (!schema) throw notFound()
  return schema
}

function organizationOf({ organization: { id, slug } }: AnswerOptions): OrganizationRecord {
  const domain = `${slug}.commercelayer.io`
  return { ...createMake()('organizations', { name: slug, domain }), id, type: 'organizations', slug }
}

function respond(body: string, status = 200): Response {
  return new Response(body, { status, headers: { 'content-type': JSON_API } })
}

function identifierOf({ type, id }: ApiRecord): { type: string; id: string } {
  return { type, id }
}

function paramsOf(c: Context): URLSearchParams {
  return new URL(c.req.url).searchParams
}
