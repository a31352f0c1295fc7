import { EXAMPLE_TIME, isResource, type Resource } from '../schema.ts'

/** What happens to a resource, in this order. Anything else happens just before the last update. */
const ORDER = [
  'created_at',
  'started_at',
  'placed_at',
  'approved_at',
  'payment_updated_at',
  'subscription_created_at',
  'on_hold_at',
  'picking_at',
  'packing_at',
  'ready_to_ship_at',
  'in_transit_at',
  'shipped_at',
  'delivered_at',
]

const MINUTE_MS = 60_000

/** The names of times that are in the past. `expires_at`, `starts_at` and `next_run_at` may be in the future. */
const HAPPENED = /^(?!expires|starts|next_run|estimated|token_expires).+_at$/

/** A time as Commerce Layer writes it. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/**
 * Sets the times of sample resources. What has happened has the placeholder {@link EXAMPLE_TIME}: it happened minute by
 * minute in the natural order, up to `updated_at`. All other times keep their distance to that.
 *
 * @param updatedAt when the resources were updated last, ISO 8601.
 */
export function setTimes(resources: Iterable<Resource>, updatedAt: string): void {
  const shift = Date.parse(updatedAt) - Date.parse(EXAMPLE_TIME)
  const move = (time: string, ms: number) => new Date(Date.parse(time) + ms).toISOString()
  for (const resource of resources) {
    const happened = Object.keys(resource)
      .filter((name) => resource[name] === EXAMPLE_TIME)
      .sort((one, other) => findRank(one) - findRank(other))
    for (const [name, value] of Object.entries(resource)) {
      if (typeof value === 'string' && TIME.test(value)) resource[name] = move(value, shift)
    }
    for (const [at, name] of happened.entries()) {
      resource[name] = move(updatedAt, (at + 1 - happened.length) * MINUTE_MS)
    }
  }
}

/** Whether an attribute says when something happened. */
export function isHappened(name: string, value: unknown): value is string {
  return HAPPENED.test(name) && typeof value === 'string' && TIME.test(value)
}

/**
 * Moves the times of what has happened so that they stay in their natural order, although some of them are fixed.
 *
 * @param isFixed whether a time must stay as it is.
 */
export function clampTimes(resource: Resource, isFixed: (name: string) => boolean): void {
  const names = Object.keys(resource)
    .filter((name) => isHappened(name, resource[name]))
    .sort((one, other) => findRank(one) - findRank(other))
  if (!names.some(isFixed)) return
  const move = (name: string, neighbor: string | undefined, isWrong: (time: string, other: string) => boolean) => {
    const [time, other] = [String(resource[name]), neighbor && String(resource[neighbor])]
    if (other && !isFixed(name) && isWrong(time, other)) resource[name] = other
  }
  for (const [at, name] of names.entries()) move(name, names[at - 1], (time, before) => time < before)
  for (const [at, name] of [...names.entries()].reverse()) move(name, names[at + 1], (time, after) => time > after)
}

/** A resource and every resource that it is linked to, directly or not. Each object once. */
export function collectLinked(resource: Resource): ReadonlySet<Resource> {
  const found = new Set([resource])
  for (const reached of found) {
    for (const related of Object.values(reached).flat().filter(isResource)) found.add(related)
  }
  return found
}

function findRank(name: string): number {
  if (name === 'updated_at') return ORDER.length + 1
  const rank = ORDER.indexOf(name)
  return rank === -1 ? ORDER.length : rank
}
