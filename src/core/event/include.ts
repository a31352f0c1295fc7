import type { LooseResource, ResourceOf } from '../../commerce-layer/resources.ts'
import type { Topic } from '../../commerce-layer/topics.ts'
import { WebhookError } from '../errors.ts'
import { ERRORS } from '../outcomes.ts'

/** A step of a path without the `?` that allows null. */
type RelationshipName<Step extends string> = Step extends `${infer Name}?` ? Name : Step

/** `customer` of `customer`, `line_items?` of `line_items?.item`. */
type Step<Path extends string> = Path extends `${infer First}.${string}` ? First : Path

/** The rest of each path that begins with `Name`. */
type After<Path extends string, Name extends string> = Path extends `${Name}.${infer Rest}` | `${Name}?.${infer Rest}`
  ? Rest
  : never

interface LooseTarget {
  readonly id: string
  readonly type: string
}

/**
 * The resources behind a relationship, of one type or several; `never` for what is none. Without `NonNullable`, for
 * which the compiler would look at all resources.
 */
type Target<Value> = Value extends LooseTarget ? Value : Value extends readonly (infer Item)[] ? Target<Item> : never

/** The names of the relationships of a resource, as its type has them; of each type of a union. */
type RelationshipsOf<Resource> = Resource extends unknown
  ? {
      [Name in keyof Resource & string]-?: Target<Resource[Name]> extends never ? never : Name
    }[keyof Resource & string]
  : never

/** The resources that a relationship leads to; `never` for what is none. */
type Follow<Resource, Name extends string> = Resource extends unknown
  ? Name extends keyof Resource
    ? Target<Resource[Name]>
    : never
  : never

/**
 * A path of `include`, if the resource has each relationship along it. Otherwise what may stand in the place of its
 * first wrong step, so that an editor completes a path one step at a time. Any path of a loose resource, and a path that
 * is not known at compile time.
 *
 * To infer the paths, the compiler looks at both branches of a condition, and takes `string` for a path to find out
 * whether to keep literals. So the check is behind `infer`, and `string` is answered before it: else it would be made
 * for all resources.
 */
export type IncludePath<Resource, Path extends string> = Path extends unknown
  ? string extends Path
    ? Path
    : CheckedPath<Resource, Path> extends infer Checked
      ? Checked
      : never
  : never

type CheckedPath<Resource, Path extends string> = LooseResource extends Resource ? Path : PathFrom<Resource, Path>

type PathFrom<Resource, Path extends string> = Path extends `${infer First}.${infer Rest}`
  ? Follow<Resource, RelationshipName<First>> extends never
    ? RelationshipsOf<Resource>
    : `${First}.${PathFrom<Follow<Resource, RelationshipName<First>>, Rest>}`
  : Follow<Resource, RelationshipName<Path>> extends never
    ? RelationshipsOf<Resource> // All are listed only here: it takes most of the time.
    : Path

type Related<Value, Path extends string> = Value extends LooseTarget
  ? WithIncluded<Value, Path>
  : Value extends readonly (infer Item)[]
    ? WithIncluded<Item, Path>[]
    : NonNullable<Value>

/**
 * A resource with the relationships at these paths present: `WithIncluded<Order, 'customer' | 'line_items.item'>`. A
 * relationship whose step ends with `?` is present, and may be `null`.
 */
export type WithIncluded<Resource, Path extends string> = [Path] extends [never]
  ? Resource
  : string extends Path // The paths are not known at compile time.
    ? Resource
    : Resource extends object
      ? Including<Resource, Path>
      : Resource

/** {@link WithIncluded} for one type and known paths. It is a type of its own so that an editor shows it by its name. */
export type Including<Resource extends object, Path extends string> = Omit<Resource, RelationshipName<Step<Path>>> & {
  [Name in RelationshipName<Step<Path>> & keyof Resource]:
    | Related<Resource[Name], After<Path, Name>>
    | (Name extends Step<Path> ? never : null)
}

/** The resource of a topic with the relationships of a handler's `include`. A destroyed resource has none. */
export type ResourceWith<T extends string, Path extends string> = T extends Topic
  ? WithIncluded<ResourceOf<T>, Path>
  : ResourceOf<T>

/**
 * Gives an `INCLUDE_MISSING` error if a relationship that a handler needs is absent. It is checked before any handler
 * runs, because a handler that has succeeded would run again with each retry.
 */
export function findMissingInclude(event: EventLike, requests: readonly IncludeRequest[]): WebhookError | undefined {
  if (requests.every(({ include }) => include.length === 0) || event.topic.endsWith('.destroy')) return undefined
  const { resource } = event // Links the resources, which nobody needs without a request.
  const paths = new Set(requests.flatMap(({ include }) => include))
  const missing = [...paths].filter((path) => isMissing(resource, path.split('.')))
  if (missing.length === 0) return undefined
  const [, , message] = ERRORS.INCLUDE_MISSING
  return new WebhookError('INCLUDE_MISSING', { message: `${message} It needs ${missing.join(', ')}. ${FIX}` })
}

interface IncludeRequest {
  readonly include: readonly string[]
}

interface EventLike {
  readonly topic: string
  readonly resource: unknown
}

const FIX =
  'If the webhook does not include it yet, apply the plan and trigger the event again. If it may be null, end the step with `?`.'

/** Whether a path is absent for at least one of the resources along it. */
function isMissing(resource: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return false
  const name = step.endsWith('?') ? step.slice(0, -1) : step
  const related = (resource as Readonly<Record<string, unknown>>)[name]
  if (related === undefined || related === null) return related === undefined || name === step
  return Array.isArray(related) ? related.some((one) => isMissing(one, rest)) : isMissing(related, rest)
}
