/** A cache. It is safe because all calls of a delivery share one document, which never changes. */
const sorted = new WeakMap<object, unknown>()

/**
 * Sorts the keys of each object as PostgreSQL's `jsonb` does: by length, then by bytes. Commerce Layer's API returns
 * the payload of an event callback this way, so the signed bytes cannot be rebuilt from it.
 */
export function sortKeysAsJsonb(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const cached = sorted.get(value)
  if (cached !== undefined) return cached
  const ordered = Array.isArray(value)
    ? value.map(sortKeysAsJsonb)
    : Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => compareKeys(a, b))
          .map(([name, member]) => [name, sortKeysAsJsonb(member)]),
      )
  sorted.set(value, ordered)
  return ordered
}

function compareKeys(a: string, b: string): number {
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b))
}
