import { setImmediate } from 'node:timers/promises'
import type { DeliveryQuery, ErasedDeliveries, ListedDelivery, ResourceReference } from '../../core/inbox/listing.ts'
import { carriesResource, carriesText } from './carried-resources.ts'
import type { DeliveryQueue, ScannedDelivery } from './queue.ts'

/** How many bodies are read at once, and how many are parsed before others get their turn. */
const READ_AT_ONCE = 50

type Scanned = Pick<DeliveryQueue, 'scan' | 'readBody'>

/** Lists the deliveries of a queue that match, page by page. */
export async function* listDeliveries(queue: Scanned, query: DeliveryQuery): AsyncGenerator<ListedDelivery, void> {
  for await (const found of findMatching(queue, query)) {
    const now = Date.now()
    yield* found.map((delivery) => ({ ...delivery, ageMs: Math.max(0, now - delivery.receivedAt.getTime()) }))
  }
}

/** Erases the deliveries of a queue that carry a resource. */
export async function eraseResource(
  queue: Scanned & Pick<DeliveryQueue, 'erase'>,
  resource: ResourceReference,
): Promise<ErasedDeliveries> {
  const erased = { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0 }
  for await (const found of findMatching(queue, { resource })) {
    const states = await Promise.all(found.map((delivery) => queue.erase(delivery)))
    for (const state of states) if (state) erased[state] += 1
  }
  return erased
}

async function* findMatching(queue: Scanned, query: DeliveryQuery): AsyncGenerator<readonly ScannedDelivery[], void> {
  const { signal, after } = query
  signal?.throwIfAborted()
  let page = await queue.scan(after?.id)
  for (;;) {
    const candidates = page.deliveries.filter((delivery) => matchesFields(delivery, query))
    for (let start = 0; start < candidates.length; start += READ_AT_ONCE) {
      const some = candidates.slice(start, start + READ_AT_ONCE)
      const matches = await Promise.all(some.map((delivery) => matchesBody(queue, delivery, query)))
      yield some.filter((_, i) => matches[i])
      await setImmediate()
      signal?.throwIfAborted()
    }
    if (!page.next) return
    page = await page.next()
    signal?.throwIfAborted()
  }
}

function matchesFields(
  { state, topic, error, receivedAt }: ScannedDelivery,
  { state: states, topic: wantedTopic, code, olderThanMs }: DeliveryQuery,
): boolean {
  if (states !== undefined && ![states].flat().includes(state)) return false
  if (wantedTopic !== undefined && wantedTopic !== topic) return false
  if (code !== undefined && code !== error?.code) return false
  return olderThanMs === undefined || receivedAt.getTime() <= Date.now() - olderThanMs
}

/** What is kept of a delivery since an attempt has failed is compared first, because its body need not be read then. */
async function matchesBody(
  queue: Pick<DeliveryQueue, 'readBody'>,
  delivery: ScannedDelivery,
  { resource, search }: DeliveryQuery,
): Promise<boolean> {
  const isOwn = resource?.type === delivery.resource?.type && resource?.id === delivery.resource?.id
  const needsResource = resource !== undefined && !isOwn
  const needsText =
    search !== undefined && ![delivery.id, delivery.resource?.id, delivery.resource?.number].includes(search)
  if (!needsResource && !needsText) return true
  const body = await queue.readBody(delivery)
  if (!body) return false
  return !(needsResource && !carriesResource(body, resource)) && !(needsText && !carriesText(body, search))
}
