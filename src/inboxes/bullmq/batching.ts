interface Asked<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/** The most items of one call. */
const MAX_ITEMS = 500

/** Makes one call of the calls that are asked for in one turn of the event loop, or while another one is under way. */
export function createBatching<T, R>(run: (items: readonly T[]) => Promise<readonly R[]>): (item: T) => Promise<R> {
  const asked: Asked<T, R>[] = []
  let isRunning = false

  async function runAll(): Promise<void> {
    isRunning = true
    await Promise.resolve()
    while (asked.length > 0) {
      const batch = asked.splice(0, MAX_ITEMS)
      try {
        const results = await run(batch.map(({ item }) => item))
        for (const [i, { resolve }] of batch.entries()) resolve(results[i] as R)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }

  return (item) =>
    new Promise((resolve, reject) => {
      asked.push({ item, resolve, reject })
      if (!isRunning) void runAll()
    })
}
