import type { DeadLetter, DeadLetterFilter } from '../../core/inbox/inbox.ts'
import { matchesFilter } from '../queue/matches-filter.ts'
import type { DeliveryQueue } from '../queue/queue.ts'
import { createBatching } from './batching.ts'
import {
  countAttempts,
  type DeliveryJob,
  forgiveLosses,
  hasBody,
  isRefusal,
  type Lane,
  toDeadLetter,
  toDeliveryId,
  toDeliveryRecord,
} from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { readJob } from './read-job.ts'

/** How many dead letters are read at once. */
const PAGE_SIZE = 500

interface DeadJob {
  readonly job: DeliveryJob
  readonly lane: Lane
}

/** Dead letters are BullMQ's failed jobs. @param onRetried is called with the lane that one was put back into. */
export function createDeadLetters(
  connect: () => Promise<OpenLanes>,
  onRetried: (lane: Lane) => void,
): Pick<DeliveryQueue, 'listDeadLetters' | 'getDeadLetter' | 'retryDeadLetter' | 'discardDeadLetter'> {
  /**
   * The iterator that continues after the last dead letter of a page. BullMQ pages by position, and positions shift
   * while dead letters are retried.
   */
  const continuations = new WeakMap<DeadLetter, AsyncIterator<DeadLetter>>()
  const discard = createBatching(async (ids: readonly string[]) => {
    const { jobs } = await connect()
    const discarded = new Set(await jobs.discardFailed(ids))
    return ids.map((id) => discarded.has(id))
  })

  return {
    async listDeadLetters(filter, last) {
      const deadLetters = (last && continuations.get(last)) ?? listAll(await connect(), filter)
      const page: DeadLetter[] = []
      while (page.length < PAGE_SIZE) {
        const { done, value } = await deadLetters.next()
        if (done) break
        page.push(value)
      }
      const end = page.at(-1)
      if (end) continuations.set(end, deadLetters)
      return page
    },
    async getDeadLetter(id) {
      const { job } = (await findDeadJob(await connect(), id)) ?? {}
      return job && hasBody(job) ? { ...toDeadLetter(job), delivery: toDeliveryRecord(job).delivery } : undefined
    },
    async retryDeadLetter(id) {
      const { job, lane } = (await findDeadJob(await connect(), id)) ?? {}
      if (!job || !lane || !hasBody(job)) return false
      if (countAttempts(job) > job.attemptsMade) await forgiveLosses(job)
      const isRetried = await retryJob(job)
      if (isRetried) onRetried(lane)
      return isRetried
    },
    discardDeadLetter: discard,
  }
}

async function findDeadJob(opened: OpenLanes, id: string): Promise<DeadJob | undefined> {
  const { lanes } = opened
  const jobIds = await Promise.all(lanes.map(({ queue }) => queue.getDeduplicationJobId(id)))
  for (const [i, lane] of lanes.entries()) {
    const job = await readJob(opened, lane, jobIds[i] ?? id)
    if (job && toDeliveryId(job) === id && (await job.isFailed())) return { job, lane }
  }
  return undefined
}

/** False if somebody else has retried or discarded the job first. */
async function retryJob(job: DeliveryJob): Promise<boolean> {
  try {
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

/** Merges the dead letters of all lanes, the oldest failure first. */
async function* listAll(opened: OpenLanes, filter: DeadLetterFilter): AsyncGenerator<DeadLetter, undefined> {
  const sources = opened.lanes.map((lane) => listLane(opened, lane, filter))
  const heads = await Promise.all(sources.map((source) => source.next()))
  for (;;) {
    let oldest = -1
    heads.forEach(({ done, value }, i) => {
      const first = heads[oldest]?.value
      if (!done && (!first || value.failedAt < first.failedAt)) oldest = i
    })
    const [head, source] = [heads[oldest], sources[oldest]]
    if (!head?.value || !source) return
    yield head.value
    heads[oldest] = await source.next()
  }
}

async function* listLane(
  opened: OpenLanes,
  lane: Lane,
  filter: DeadLetterFilter,
): AsyncGenerator<DeadLetter, undefined> {
  const ids = await lane.queue.getRanges(['failed'], 0, -1, true)
  for (let start = 0; start < ids.length; start += PAGE_SIZE) {
    for (const job of await opened.jobs.read(lane.queue.name, ids.slice(start, start + PAGE_SIZE))) {
      if (job.state !== 'dead') continue
      const deadLetter = toDeadLetter(job)
      if (matchesFilter(deadLetter, filter)) yield deadLetter
    }
  }
}
