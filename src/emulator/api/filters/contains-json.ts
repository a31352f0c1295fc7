/**
 * Whether a JSON value holds another, as PostgreSQL's `@>`: an object has each of its keys with a value that holds its
 * value, a list has for each of its items one that holds it, and anything else is the same.
 */
export function containsJson(part: unknown): (whole: unknown) => boolean {
  return (whole) => holds(whole, part)
}

function holds(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((item) => whole.some((candidate) => holds(candidate, item)))
  }
  if (!isObject(part)) return whole === part
  if (!isObject(whole)) return false
  return Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && holds(whole[name], value))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
