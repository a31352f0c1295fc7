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
 * The resources that a step leads to, of one type or several; `never` if it is no relationship. It is one pattern,
 * because the compiler instantiates fewer types for it than for conditions on the value. To the pattern a record such
 * as `metadata` is a list of `any`.
 */
type Follow<Resource, Step extends string> = Resource extends {
  readonly [Name in RelationshipName<Step>]?: (infer One extends LooseTarget) | (infer One extends LooseTarget)[] | null
}
  ? unknown extends One
    ? never
    : One
  : never

/** The resources at the end of a path; `never` if one of its steps is no relationship. */
type ResourcesAt<Resource, Path extends string> = Path extends `${infer First}.${infer Rest}`
  ? ResourcesAt<Follow<Resource, First>, Rest>
  : Follow<Resource, Path>

/** The names of the relationships of a resource, as its type has them; of each type of a union. */
type RelationshipsOf<Resource> = Resource extends unknown
  ? {
      [Name in keyof Resource & string]-?: Follow<Resource, Name> extends never ? never : Name
    }[keyof Resource & string]
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

type CheckedPath<Resource, Path extends string> = LooseResource extends Resource
  ? Path
  : ResourcesAt<Resource, Path> extends never
    ? CorrectedPath<Resource, Path>
    : Path

/** A wrong path, with what may stand in the place of its first wrong step. All relationships are listed only here. */
type CorrectedPath<Resource, Path extends string> = Path extends `${infer First}.${infer Rest}`
  ? Follow<Resource, First> extends never
    ? RelationshipsOf<Resource>
    : `${First}.${CorrectedPath<Follow<Resource, First>, Rest>}`
  : RelationshipsOf<Resource>

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
