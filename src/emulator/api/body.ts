import * as z from 'zod'
import { ApiError, createAttributeError, createErrorObject, type ErrorObject, type Rule, refuse } from './errors.ts'
import type { TypeSchema } from './schema.ts'

/** The resource that a body is for. `id` is that of the path, or absent for a resource that is created. */
interface Target<Attributes> {
  readonly schema: TypeSchema
  readonly id?: string
  readonly attributes: z.ZodType<Attributes>
}

const BODY = z.looseObject({ data: z.looseObject({}) })
const OBJECT = z.record(z.string(), z.unknown())

/**
 * Reads and checks the attributes of a JSON:API document.
 *
 * @throws ApiError for a body of another shape, another type or id, and unknown members or attributes.
 * `VALIDATION_ERROR` for each attribute that breaks a rule: the message of a zod check is the name of the rule.
 */
export function readAttributes<Attributes>(json: unknown, { schema, id, attributes }: Target<Attributes>): Attributes {
  const body = BODY.safeParse(json)
  if (!body.success) throw refuse('PARAM_MISSING', 'The required parameter, data, is missing.')
  const { data } = body.data
  checkIdentity(data, schema.type, id)
  const given = OBJECT.safeParse(data.attributes ?? {})
  if (!given.success) throw refuse('BAD_REQUEST', 'attributes has to be an object.')
  const relationships = OBJECT.safeParse(data.relationships ?? {})
  if (!relationships.success) throw refuse('BAD_REQUEST', 'relationships has to be an object.')
  checkNames(Object.keys(relationships.data))
  const checked = attributes.safeParse(given.data)
  if (checked.success) return checked.data
  const { issues } = checked.error
  checkNames(issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])))
  const errors = new Map<string, ErrorObject>()
  for (const issue of issues) {
    const attribute = String(issue.path[0])
    const rule = issue.message as Rule
    const count = rule === 'too_long' && issue.code === 'too_big' ? Number(issue.maximum) : undefined
    if (!errors.has(attribute)) {
      errors.set(attribute, createAttributeError(attribute, rule, given.data[attribute], count))
    }
  }
  throw new ApiError(...errors.values())
}

function checkIdentity(data: Readonly<Record<string, unknown>>, type: string, id: string | undefined): void {
  if (data.type === undefined) throw refuse('PARAM_MISSING', 'The required parameter, type, is missing.')
  if (data.type !== type) throw refuse('INVALID_RESOURCE', `The type of the resource has to be ${type}.`)
  if (id === undefined && data.id !== undefined) checkNames(['id'])
  if (id !== undefined && data.id === undefined)
    throw refuse('PARAM_MISSING', 'The required parameter, id, is missing.')
  if (data.id !== id) throw refuse('KEY_NOT_INCLUDED_IN_URL', 'The id of the resource differs from the id of the URL.')
}

function checkNames(unknown: readonly string[]): void {
  if (unknown.length === 0) return
  throw new ApiError(...unknown.map((name) => createErrorObject('PARAM_NOT_ALLOWED', `${name} is not allowed.`)))
}
