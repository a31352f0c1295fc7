/** Documents are shared by all calls of a delivery, and stay as they are. */
const reordered = new WeakMap<object, unknown>()

/**
 * A JSON value as PostgreSQL's `jsonb` gives it back: the keys of each object by their length, then by their bytes. So comes
 * the payload of an event callback, and the bytes that were signed cannot be rebuilt from it.
 */
export function inJsonbOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = reordered.get(value)
  if (known !== undefined) return known
  const ordered = Array.isArray(value)
    ? value.map(inJsonbOrder)
    : Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => compareKeys(a, b))
          .map(([name, member]) => [name, inJsonbOrder(member)]),
      )
  reordered.set(value, ordered)
  return ordered
}

function compareKeys(a: string, b: string): number {
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b))
}
