import type { Context, Hono } from 'hono'
import { createResourceFactory } from '../../wire/samples/make.ts'
import type { OrganizationRecord } from '../records.ts'
import { type AnswerOptions, type AnswerParts, createPageParts, writeAnswer } from './answer.ts'
import { refuseNotFound } from './errors.ts'
import { JSON_API } from './negotiation.ts'
import { readListQuery, readShape, type Shape } from './query.ts'
import {
  type ApiRecord,
  type CollectionSchema,
  findCollection,
  findRelationship,
  isList,
  ORGANIZATIONS,
  type TypeSchema,
} from './schema.ts'

/**
 * Adds the routes that read: lists, resources, related resources and their identifiers. All types have the same routes.
 */
export function addReading(app: Hono, options: AnswerOptions): void {
  const { records } = options
  app.get('/api/organization', (c) => {
    return answer(createOrganization(options), readShape(ORGANIZATIONS, readParams(c)), options)
  })
  app.get('/api/:type', (c) => {
    const schema = findPathCollection(c)
    return answerList(c, schema, [...schema.collection(records).values()], options)
  })
  app.get('/api/:type/:id', (c) => {
    const schema = findPathCollection(c)
    const record = findRecord(schema.collection(records), c.req.param('id'))
    return answer(record, readShape(schema, readParams(c)), options)
  })
  app.get('/api/:type/:id/:relationship', (c) => {
    const { related, schema } = findRelated(c, options)
    if (isList(related)) return answerList(c, schema, related, options)
    return answer(related, readShape(schema, readParams(c)), options)
  })
  app.get('/api/:type/:id/relationships/:relationship', (c) => {
    const { related } = findRelated(c, options)
    const data = isList(related) ? related.map(toIdentifier) : related && toIdentifier(related)
    const self = `${options.url()}${new URL(c.req.url).pathname.replace(/\/$/, '')}`
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
  if (record === undefined) throw refuseNotFound()
  return record
}

function answerList(c: Context, schema: TypeSchema, all: readonly ApiRecord[], options: AnswerOptions): Response {
  const { filters, compare, page, ...shape } = readListQuery(schema, readParams(c), options.records)
  const found = all.filter((record) => filters.every((filter) => filter(record)))
  if (compare) found.sort(compare)
  const start = (page.number - 1) * page.size
  const parts: AnswerParts = createPageParts(options.url(), new URL(c.req.url), page, found.length)
  return respond(writeAnswer(found.slice(start, start + page.size), shape, options, parts))
}

function findRelated(c: Context, { records }: AnswerOptions) {
  const schema = findPathCollection(c)
  const record = findRecord(schema.collection(records), c.req.param('id'))
  const relationship = findRelationship(schema, c.req.param('relationship') ?? '')
  if (!relationship) throw refuseNotFound()
  return { related: relationship.related(record, records), schema: relationship.schema() }
}

function findPathCollection(c: Context): CollectionSchema {
  const schema = findCollection(c.req.param('type') ?? '')
  if (!schema) throw refuseNotFound()
  return schema
}

function createOrganization({ organization: { id, slug } }: AnswerOptions): OrganizationRecord {
  const domain = `${slug}.commercelayer.io`
  return { ...createResourceFactory()('organizations', { name: slug, domain }), id, type: 'organizations', slug }
}

function respond(body: string, status = 200): Response {
  return new Response(body, { status, headers: { 'content-type': JSON_API } })
}

function toIdentifier({ type, id }: ApiRecord): { type: string; id: string } {
  return { type, id }
}

function readParams(c: Context): URLSearchParams {
  return new URL(c.req.url).searchParams
}
