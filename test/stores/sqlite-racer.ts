import { createSqliteStore } from 'hooklayer/stores/sqlite'

/**
 * One of several processes on one file: waits for the start, reserves and completes every key that it can, and prints
 * them.
 */
const [file = '', start = '0', count = '0'] = process.argv.slice(2)
const won: string[] = []

/** On a busy machine others may lock the file for longer than a statement waits. */
async function asked<T>(question: () => Promise<T>, triesLeft = 5): Promise<T> {
  return question().catch((error) => (triesLeft > 0 ? asked(question, triesLeft - 1) : Promise.reject(error)))
}

while (Date.now() < Number(start)) await new Promise((resolve) => setImmediate(resolve))
const store = createSqliteStore({ file })
for (let i = 0; i < Number(count); i++) {
  const key = `key ${i}`
  const version = { resource: `orders/${i % 3}`, updatedAt: `2026-01-01T00:00:00.${100 + i}Z` }
  const reservation = await asked(() => store.reserve(key, { leaseMs: 60_000, version }))
  if (reservation.state !== 'reserved') continue
  const { token } = reservation
  const isCompleted = await asked(() => store.complete(key, token, { retentionMs: 60_000, version }))
  if (isCompleted) won.push(key)
}
await store.close()
console.log(JSON.stringify(won))
