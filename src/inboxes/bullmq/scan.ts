import type { DeliveryState } from '../../core/inbox/listing.ts'
import type { DeliveryQueue, ScannedDelivery, ScannedPage } from '../queue/queue.ts'
import { createBatching } from './batching.ts'
import type { EngineJobs } from './engine-jobs.ts'
import { readBody, readGroup, toScanned } from './job.ts'
import type { OpenLanes } from './lanes.ts'

interface Place {
  readonly queue: string
  readonly id: string
}

/** How many jobs are read at once, without their bodies. */
const PAGE_SIZE = 500

/**
 * Scans the jobs of all lanes. Positions in BullMQ's lists shift while jobs are taken, so the ids are read first: about
 * 50 bytes of memory for each delivery. Ids of jobs are in the order of time.
 *
 * @param onErased is called for each delivery that was erased and is not open any more.
 */
export function createScan(
  connect: () => Promise<OpenLanes>,
  onErased: () => void,
): Pick<DeliveryQueue, 'scan' | 'readBody' | 'erase'> {
  const places = new WeakMap<ScannedDelivery, Place>()

  /** Makes one call for each queue of the calls that are asked for at the same time. */
  function byQueue<T>(
    run: (jobs: EngineJobs, queue: string, ids: readonly string[]) => Promise<readonly T[]>,
  ): (scanned: ScannedDelivery) => Promise<T | undefined> {
    const ask = createBatching(async (asked: readonly Place[]) => {
      const { jobs } = await connect()
      const results = new Map<Place, T | undefined>()
      const askQueue = async (queue: string) => {
        const ofQueue = asked.filter((place) => place.queue === queue)
        const found = await run(
          jobs,
          queue,
          ofQueue.map(({ id }) => id),
        )
        for (const [i, place] of ofQueue.entries()) results.set(place, found[i])
      }
      await Promise.all([...new Set(asked.map(({ queue }) => queue))].map(askQueue))
      return asked.map((place) => results.get(place))
    })
    return async (scanned) => {
      const place = places.get(scanned)
      return place && ask(place)
    }
  }

  const readData = byQueue((jobs, queue, ids) => jobs.readData(queue, ids))
  const erase = byQueue<DeliveryState | undefined>((jobs, queue, ids) => jobs.erase(queue, ids))

  async function readPage({ jobs }: OpenLanes, all: readonly Place[], start: number): Promise<ScannedPage> {
    const end = start + PAGE_SIZE
    const wanted = all.slice(start, end)
    const found = new Map<string, ScannedDelivery>()
    const readQueue = async (queue: string) => {
      const ids = wanted.flatMap((place) => (place.queue === queue ? place.id : []))
      for (const job of await jobs.read(queue, ids)) {
        const scanned = toScanned(job)
        places.set(scanned, { queue, id: job.id })
        found.set(`${queue} ${job.id}`, scanned)
      }
    }
    await Promise.all([...new Set(wanted.map(({ queue }) => queue))].map(readQueue))
    return {
      deliveries: wanted.flatMap(({ queue, id }) => found.get(`${queue} ${id}`) ?? []),
      next: end < all.length ? async () => readPage(await connect(), all, end) : undefined,
    }
  }

  return {
    async scan(after) {
      const opened = await connect()
      const lists = opened.lanes.map(async ({ queue: { name } }) =>
        (await opened.jobs.listIds(name)).map((id) => ({ queue: name, id })),
      )
      const first = after === undefined ? '' : await findJobId(opened, after)
      const all = (await Promise.all(lists)).flat().filter(({ id }) => id > first)
      all.sort((one, other) => (one.id < other.id ? -1 : 1))
      return readPage(opened, all, 0)
    },
    readBody: async (scanned) => readBody(await readData(scanned)),
    async erase(scanned) {
      const group = readGroup({ data: await readData(scanned) })
      const state = await erase(scanned)
      if (state === 'queued' || state === 'failed') onErased()
      if (state === 'failed' && group !== undefined) await promoteNext(await connect(), group)
      return state
    },
  }
}

async function promoteNext({ groupOrder, findLane }: OpenLanes, group: string): Promise<void> {
  await groupOrder.promoteNext(group, findLane(group))
}

/** The id of the job of a delivery; empty if it is not known. */
async function findJobId({ lanes }: OpenLanes, deliveryId: string): Promise<string> {
  const found = await Promise.all(lanes.map(({ queue }) => queue.getDeduplicationJobId(deliveryId)))
  return found.find((id) => typeof id === 'string') ?? ''
}
