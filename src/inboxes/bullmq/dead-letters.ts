import { randomUUID } from 'node:crypto'
import type { DeadLetter, DeadLetterFilter } from '../../core/inbox/inbox.ts'
import { matchesFilter } from '../queue/matches-filter.ts'
import type { DeliveryQueue } from '../queue/queue.ts'
import {
  countAttempts,
  type DeliveryJob,
  forgiveLosses,
  hasBody,
  isRefusal,
  type Lane,
  removeBody,
  toDeadLetter,
  toDeliveryId,
  toDeliveryRecord,
} from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { getNextJob, readJob } from './read-job.ts'

/** How many dead letters are read at once. Each comes with its body. */
const PAGE_SIZE = 50

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
  /** Discarding one at a time: {@link discardJob} takes the first job of a lane and must get its own. */
  let discarding: Promise<unknown> = Promise.resolve()

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
    discardDeadLetter(id) {
      const discarded = discarding.then(async () => discardJob(await connect(), id))
      discarding = discarded.catch(() => {})
      return discarded
    },
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

/**
 * Only a worker can complete a job. So the job is put at the front of its lane, taken and completed. If another
 * delivery of the lane is being handled, it cannot be taken, and the next worker completes it.
 */
async function discardJob(opened: OpenLanes, id: string): Promise<boolean> {
  const { job, lane } = (await findDeadJob(opened, id)) ?? {}
  if (!job || !lane) return false
  await removeBody(job)
  job.opts.lifo = true
  if (!(await retryJob(job))) return false
  const token = randomUUID()
  const first = await getNextJob(opened, lane, token)
  if (first && hasBody(first)) await opened.returnJob(first, token)
  else await first?.moveToCompleted(null, token, false)
  return true
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
    const jobs = await Promise.all(ids.slice(start, start + PAGE_SIZE).map((id) => readJob(opened, lane, id)))
    for (const job of jobs) {
      if (!job?.finishedOn || !job.failedReason || !hasBody(job)) continue
      const deadLetter = toDeadLetter(job)
      if (matchesFilter(deadLetter, filter)) yield deadLetter
    }
  }
}
