import { checkNames, checkOption, checkOptions, type OptionRule, positiveInteger } from '../../core/check-options.ts'
import type { DeliveryQuery, DeliveryState, ResourceReference } from '../../core/inbox/listing.ts'

const STATES: readonly DeliveryState[] = ['queued', 'running', 'failed', 'unhandled', 'dead']

const QUERY_RULES = {
  state: rule<DeliveryQuery['state']>(`${STATES.join(', ')}, or a list of them`, isStates),
  topic: rule<string>('text', isText),
  code: rule<string>('text', isText),
  resource: rule<ResourceReference>('an object with the texts `type` and `id`', isResource),
  olderThanMs: rule<number>('a whole number over 0', positiveInteger(1).isValid),
  search: rule<string>('text', isText),
  after: rule<DeliveryQuery['after']>('a delivery of an earlier list', (value) => isText(Object(value).id)),
  signal: rule<AbortSignal>('an AbortSignal', (value) => value instanceof AbortSignal),
}

/** @throws TypeError if a member is unknown, or a value is not of its type. */
export function checkQuery(method: string, query: unknown): DeliveryQuery {
  return checkOptions(method, query, QUERY_RULES)
}

/** @throws TypeError if it does not name a resource. One without an id must not select all of a type. */
export function checkResource(method: string, resource: unknown): ResourceReference {
  const checked = checkOption(method, 'resource', resource, QUERY_RULES.resource) as ResourceReference
  checkNames(method, Object.keys(checked), ['type', 'id', 'number'])
  return checked
}

function rule<T>(expected: string, isValid: (value: unknown) => boolean): OptionRule<T | undefined> {
  return { fallback: undefined, expected, isValid }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isResource(value: unknown): boolean {
  const { type, id } = Object(value)
  return isText(type) && isText(id)
}

function isStates(value: unknown): boolean {
  const states: readonly unknown[] = Array.isArray(value) ? value : [value]
  return states.length > 0 && states.every((state) => STATES.some((known) => known === state))
}
