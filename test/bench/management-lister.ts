import { createManagement } from 'hooklayer/management'

/** The argument of this program, as JSON. */
export interface Task {
  readonly organization: string
  readonly clientId: string
  readonly clientSecret: string
  readonly url: string
}

/** The one message that this program sends to its parent. */
export interface Listing {
  readonly calls: number
  readonly requests: number
  readonly differentRequests: number
  readonly seconds: number
  /** Bytes of the peak over the start. */
  readonly heap: number
  readonly rss: number
}

const [task] = process.argv.slice(2)
process.send?.(await list(JSON.parse(String(task))))
process.disconnect()

/** Lists all event callbacks, and measures its own memory meanwhile. */
async function list(options: Task): Promise<Listing> {
  const addresses: string[] = []
  const theirs = globalThis.fetch
  globalThis.fetch = (input, init) => {
    addresses.push(String(input))
    return theirs(input, init)
  }
  const { eventCallbacks } = createManagement(options)
  // Code that is loaded and compiled once is not a leak.
  for await (const _ of eventCallbacks.list({ until: await momentOf(1000, eventCallbacks) }));
  globalThis.gc?.()
  const start = process.memoryUsage()
  const peak = { heapUsed: 0, rss: 0 }
  const [begin, warmUp] = [performance.now(), addresses.length]
  const ids = new Set<string>()
  for await (const { id } of eventCallbacks.list()) {
    ids.add(id)
    if (ids.size % 25 > 0) continue
    const { heapUsed, rss } = process.memoryUsage()
    peak.heapUsed = Math.max(peak.heapUsed, heapUsed)
    peak.rss = Math.max(peak.rss, rss)
  }
  const seconds = (performance.now() - begin) / 1000
  const pages = addresses.slice(warmUp)
  return {
    calls: ids.size,
    requests: pages.length,
    differentRequests: new Set(pages).size,
    seconds,
    heap: peak.heapUsed - start.heapUsed,
    rss: peak.rss - start.rss,
  }
}

async function momentOf(number: number, calls: ReturnType<typeof createManagement>['eventCallbacks']): Promise<string> {
  let count = 0
  for await (const { created_at } of calls.list()) if (++count === number) return created_at
  throw new Error('There are fewer calls.')
}
