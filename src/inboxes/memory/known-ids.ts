/** The ids of deliveries that were handled or discarded, each for the same time. */
export interface KnownIds {
  has(id: string): boolean
  add(id: string): void
}

export function createKnownIds(retentionMs: number): KnownIds {
  const knownUntil = new Map<string, number>()
  return {
    has: (id) => (knownUntil.get(id) ?? 0) > Date.now(),
    add(id) {
      // The map is in the order of expiry, because all ids are known for the same time.
      for (const [oldId, until] of knownUntil) {
        if (until > Date.now()) break
        knownUntil.delete(oldId)
      }
      knownUntil.delete(id)
      knownUntil.set(id, Date.now() + retentionMs)
    },
  }
}
