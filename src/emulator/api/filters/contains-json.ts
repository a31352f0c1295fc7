/**
 * Creates a test whether a JSON value contains `part`, as PostgreSQL's `@>` does:
 *
 * - An object contains an object if it has all its keys, and each value contains the value of the part.
 * - A list contains a list if some item contains each item of the part.
 * - Any other value contains only itself.
 */
export function containsJson(part: unknown): (whole: unknown) => boolean {
  return (whole) => contains(whole, part)
}

function contains(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(whole) && part.every((item) => whole.some((candidate) => contains(candidate, item)))
  }
  if (!isObject(part)) return whole === part
  if (!isObject(whole)) return false
  return Object.entries(part).every(([name, value]) => Object.hasOwn(whole, name) && contains(whole[name], value))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
