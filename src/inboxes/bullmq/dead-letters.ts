import { randomUUID } from 'node:crypto'
import type { DeadLetter, DeadLetterFilter } from '../../core/inbox/inbox.ts'
import type { DeliveryQueue } from '../queue/queue.ts'
import {
  countAttempts,
  type DeliveryJob,
  hasBody,
  type Lane,
  removeBody,
  toDeadLetter,
  toDeliveryRecord,
} from './job.ts'
import type { OpenLanes } from './lanes.ts'

/** How many dead letters are fetched at once; each comes with its body. */
const PAGE = 50

interface Found {
  readonly job: DeliveryJob
  readonly lane: Lane
}

/** The dead letters: BullMQ's failed jobs. */
export function createDeadLetters(
  connect: () => Promise<OpenLanes>,
): Pick<DeliveryQueue, 'listDeadLetters' | 'getDeadLetter' | 'retryDeadLetter' | 'discardDeadLetter'> {
  /** What comes after the last letter of a page: BullMQ pages by position, and positions shift while letters are retried. */
  const rests = new WeakMap<DeadLetter, AsyncIterator<DeadLetter>>()

  /** One after another, or they would be in each other's way. */
  let discarding: Promise<unknown> = Promise.resolve()

  async function find(id: string): Promise<Found | undefined> {
    const { lanes } = await connect()
    const jobIds = await Promise.all(lanes.map(({ queue }) => queue.getDeduplicationJobId(id)))
    for (const [at, lane] of lanes.entries()) {
      const job = await lane.queue.getJob(jobIds[at] ?? '')
      if (job && (await job.isFailed())) return { job, lane }
    }
    return undefined
  }

  /** As only workers can say that a job is done, it is put before all others and taken; if it cannot be, the next worker will. */
  async function discard(id: string): Promise<boolean> {
    const { job, lane } = (await find(id)) ?? {}
    if (!job || !lane) return false
    await removeBody(job)
    job.opts.lifo = true
    if (!(await retry(job))) return false
    const token = randomUUID()
    const first = await lane.worker.getNextJob(token, { block: false })
    if (first && hasBody(first)) await (await connect()).returnJob(first, token)
    else await first?.moveToCompleted(null, token, false)
    return true
  }

  return {
    async listDeadLetters(filter, last) {
      const rest = (last && rests.get(last)) ?? deadLettersOfLanes((await connect()).lanes, filter)
      const page: DeadLetter[] = []
      while (page.length < PAGE) {
        const { done, value } = await rest.next()
        if (done) break
        page.push(value)
      }
      const end = page.at(-1)
      if (end) rests.set(end, rest)
      return page
    },
    async getDeadLetter(id) {
      const { job } = (await find(id)) ?? {}
      return job && hasBody(job) ? { ...toDeadLetter(job), delivery: toDeliveryRecord(job).delivery } : undefined
    },
    async retryDeadLetter(id) {
      const { job } = (await find(id)) ?? {}
      if (!job || !hasBody(job)) return false
      if (countAttempts(job) > job.attemptsMade) await job.updateData({ ...job.data, forgiven: job.stalledCounter })
      return retry(job)
    },
    discardDeadLetter(id) {
      const discarded = discarding.then(() => discard(id))
      discarding = discarded.catch(() => {})
      return discarded
    },
  }
}

/** False if somebody else was quicker. */
async function retry(job: DeliveryJob): Promise<boolean> {
  try {
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

/** Whether BullMQ says that a job is not there, not in that state, or not ours; and not that its back end failed. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && error.code < 0
}

/** Those of all lanes, the oldest first. */
async function* deadLettersOfLanes(
  lanes: readonly Lane[],
  filter: DeadLetterFilter,
): AsyncGenerator<DeadLetter, undefined> {
  const opened = lanes.map((lane) => deadLettersInLane(lane, filter))
  const heads = await Promise.all(opened.map((letters) => letters.next()))
  for (;;) {
    let oldest = -1
    heads.forEach(({ done, value }, at) => {
      const first = heads[oldest]?.value
      if (!done && (!first || value.failedAt < first.failedAt)) oldest = at
    })
    const [head, letters] = [heads[oldest], opened[oldest]]
    if (!head?.value || !letters) return
    yield head.value
    heads[oldest] = await letters.next()
  }
}

async function* deadLettersInLane({ queue }: Lane, filter: DeadLetterFilter): AsyncGenerator<DeadLetter, undefined> {
  const ids = await queue.getRanges(['failed'], 0, -1, true)
  for (let at = 0; at < ids.length; at += PAGE) {
    const jobs = await Promise.all(ids.slice(at, at + PAGE).map((id) => queue.getJob(id)))
    for (const job of jobs) {
      if (!job?.finishedOn || !job.failedReason || !hasBody(job)) continue
      const letter = toDeadLetter(job)
      if (matchesFilter(letter, filter)) yield letter
    }
  }
}

function matchesFilter({ topic, failedAt, error }: DeadLetter, filter: DeadLetterFilter): boolean {
  const { failedSince, failedUntil } = filter
  if (filter.topic !== undefined && filter.topic !== topic) return false
  if (filter.code !== undefined && filter.code !== error.code) return false
  return !(failedSince && failedAt < failedSince) && !(failedUntil && failedAt > failedUntil)
}
