import { createSqliteStore } from 'hooklayer/stores/sqlite'

/**
 * One of several processes on one file: waits for the start, then claims and completes every key that it can, and prints those
 * that it got.
 */
const [file = '', start = '0', count = '0'] = process.argv.slice(2)
const store = createSqliteStore({ file })
const won: string[] = []

while (Date.now() < Number(start)) await new Promise((resolve) => setImmediate(resolve))
for (let i = 0; i < Number(count); i++) {
  const key = `key ${i}`
  const version = { resource: `orders/${i % 3}`, updatedAt: `2026-01-01T00:00:00.${100 + i}Z` }
  const reservation = await store.reserve(key, { leaseMs: 60_000, version })
  if (reservation.state !== 'reserved') continue
  const isCompleted = await store.complete(key, reservation.token, { retentionMs: 60_000, version })
  if (isCompleted) won.push(key)
}
await store.close()
console.log(JSON.stringify(won))
