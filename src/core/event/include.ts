import type { ResourceOf } from '../../commerce-layer/resources.ts'
import type { Topic } from '../../commerce-layer/topics.ts'
import { WebhookError } from '../errors.ts'

/** A name of a path without the mark that says that there may be none. */
type RelationshipName<Step extends string> = Step extends `${infer Name}?` ? Name : Step

/** `customer` of `customer`, `line_items?` of `line_items?.item`. */
type Step<Path extends string> = Path extends `${infer First}.${string}` ? First : Path

/** What follows `Name` in the paths that begin with it. */
type After<Path extends string, Name extends string> = Path extends `${Name}.${infer Rest}` | `${Name}?.${infer Rest}`
  ? Rest
  : never

type Related<Value, Path extends string> = Value extends readonly (infer Item)[]
  ? WithIncluded<Item, Path>[]
  : WithIncluded<Value, Path>

/**
 * A resource whose relationships at these paths are there: `WithIncluded<Order, 'customer' | 'line_items.item'>`. A step that
 * ends with `?` was included too, but may be `null`.
 */
export type WithIncluded<Resource, Path extends string> = [Path] extends [never]
  ? Resource
  : string extends Path // A list that was put together at run time.
    ? Resource
    : Resource extends object
      ? { [Name in keyof Resource as Name extends RelationshipName<Step<Path>> ? never : Name]: Resource[Name] } & {
          [Name in RelationshipName<Step<Path>> & keyof Resource]-?:
            | Related<NonNullable<Resource[Name]>, After<Path, Name>>
            | (Name extends Step<Path> ? never : null)
        }
      : Resource

/** The resource of a topic, with what a handler's `include` asks for; a destroyed one has nothing to include. */
export type ResourceWith<T extends string, Path extends string> = T extends Topic
  ? WithIncluded<ResourceOf<T>, Path>
  : ResourceOf<T>

/**
 * An `INCLUDE_MISSING` if something that handlers ask for is not there. To be known before any of them runs: one that did its part
 * would do it again with each retry.
 */
export function findMissingInclude(event: EventLike, asking: readonly IncludeRequest[]): WebhookError | undefined {
  if (asking.every(({ include }) => include.length === 0) || event.topic.endsWith('.destroy')) return undefined
  const { resource } = event // Linked now, so not before somebody asks for a part of it.
  const paths = new Set(asking.flatMap(({ include }) => include))
  const missing = [...paths].filter((path) => isMissing(resource, path.split('.')))
  if (missing.length === 0) return undefined
  return new WebhookError('INCLUDE_MISSING', { fix: `It needs ${missing.join(', ')}. ${FIX}` })
}

interface IncludeRequest {
  readonly include: readonly string[]
}

interface EventLike {
  readonly topic: string
  readonly resource: unknown
}

const FIX =
  'If the webhook does not include it yet, apply the plan and trigger the event again; if there may be none, say so with a `?`.'

/** Whether a path leads nowhere, for one of the resources on it at least. */
function isMissing(resource: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return false
  const name = step.endsWith('?') ? step.slice(0, -1) : step
  const related = (resource as Readonly<Record<string, unknown>>)[name]
  if (related === undefined || related === null) return related === undefined || name === step
  return Array.isArray(related) ? related.some((one) => isMissing(one, rest)) : isMissing(related, rest)
}
