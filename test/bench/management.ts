import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createEmulator } from 'hooklayer/emulator'
import { createManagement } from 'hooklayer/management'
import { listen } from '../contracts/adapter/listen.ts'
import type { Listing, Task } from './management-lister.ts'
import type { Findings } from './report.ts'

const CALLS = 10_000
const AT_ONCE = 50
const MEGABYTE = 2 ** 20

/** An emulator makes event callbacks, and another process lists them: does the memory of that process stay flat? */
export async function benchManagement(progress: (message: string) => void): Promise<Findings> {
  progress(`management, ${CALLS} event callbacks`)
  const emulator = await createEmulator({ maxEventCallbacks: CALLS, retries: 0 })
  const endpoint = await listen((request, response) => {
    request.resume()
    response.end()
  })
  const { organization, clientId, clientSecret, url } = emulator
  const task: Task = { organization, clientId, clientSecret, url }
  await createManagement(task).webhooks.create({ topic: 'customers.create', callbackUrl: endpoint.url })
  for (let made = 0; made < CALLS; made += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => emulator.trigger('customers.create')))
  }
  await endpoint.close()
  const listing = await listedBy(task)
  await emulator.close()
  return findingsOf(listing)
}

async function listedBy(task: Task): Promise<Listing> {
  const lister = fileURLToPath(new URL('./management-lister.ts', import.meta.url))
  const child = fork(lister, [JSON.stringify(task)], { execArgv: [...process.execArgv, '--expose-gc'] })
  const [listing] = await once(child, 'message')
  return listing
}

function findingsOf({ calls, requests, differentRequests, seconds, heap, rss }: Listing): Findings {
  const megabytes = (bytes: number) => bytes / MEGABYTE
  const row = [
    `${calls} event callbacks`,
    `${seconds.toFixed(1)} s`,
    `${requests} (${differentRequests} different)`,
    `${megabytes(heap).toFixed(1)} MB`,
    `${megabytes(rss).toFixed(1)} MB`,
  ]
  const head = ['', 'time', 'requests', 'heap, peak over the start', 'RSS, peak over the start']
  const bars = [
    { what: 'Listing event callbacks, MB of heap over the start', figure: megabytes(heap), atMost: 30 },
    { what: 'Listing event callbacks, MB of RSS over the start', figure: megabytes(rss), atMost: 30 },
    { what: 'Listing event callbacks, requests ÷ different ones', figure: requests / differentRequests, atMost: 1 },
  ]
  return { tables: [{ title: 'Listing from the emulator', head, rows: [row] }], bars }
}
