import { randomUUID } from 'node:crypto'
import { hasBody, type Lane, type LeasedJob, readGroup, readNote, resetOptions, toNote } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { getNextJob, toJob } from './read-job.ts'

/** How long a delivery waits for an earlier one of its group. It is promoted as soon as that one has been handled. */
const BEHIND_GROUP_MS = 30_000

export interface TakeOptions {
  readonly hasCapacity: (topic: string) => boolean
  readonly isHandled: (topic: string) => boolean
  /** When to look again at a delivery whose topic has no free capacity. */
  readonly postpone: (topic: string) => number
  /** Completes a job that was discarded. */
  readonly complete: (discarded: LeasedJob) => Promise<unknown>
  /** Lets a job wait for a worker that has a handler for its topic. */
  readonly setAside: (unhandled: LeasedJob) => Promise<unknown>
}

/** Called with a token for which the engine has not answered. */
type OnLost = (lane: Lane, token: string) => void

/** Takes the next job of a lane in BullMQ's own way, which also looks after the jobs that are delayed. */
export async function takeJob(opened: OpenLanes, lane: Lane, onLost: OnLost): Promise<readonly LeasedJob[]> {
  const token = randomUUID()
  try {
    const job = await getNextJob(opened, lane, token)
    return job ? [{ job, lane, token }] : []
  } catch (error) {
    onLost(lane, token)
    throw error
  }
}

/**
 * Takes the next jobs of a lane with one command, at most `count`. Fails if there is an error for all of them: one that
 * cannot be read does not keep the others.
 */
export async function takeJobs(
  opened: OpenLanes,
  lane: Lane,
  count: number,
  leaseMs: number,
  onLost: OnLost,
): Promise<readonly LeasedJob[]> {
  const tokens = Array.from({ length: count }, () => randomUUID())
  const taken = await opened.jobs.take(lane.queue.name, tokens, leaseMs).catch((error: unknown) => {
    for (const token of tokens) onLost(lane, token)
    throw error
  })
  const found: LeasedJob[] = []
  const errors: unknown[] = []
  for (const { job, token } of taken) {
    try {
      found.push({ job: await toJob(opened, lane, job), lane, token })
    } catch (error) {
      onLost(lane, token)
      errors.push(error)
    }
  }
  if (found.length === 0) for (const error of errors) throw error
  return found
}

/** Whether a job that was taken is to be handled now. If not, it was moved away. */
export async function admitJob(opened: OpenLanes, leased: LeasedJob, options: TakeOptions): Promise<boolean> {
  const { job, lane } = leased
  const { groupOrder, jobs } = opened
  const { id = '', name: topic } = job
  resetOptions(job)
  const { unhandledSince, ...note } = readNote(job)
  if (unhandledSince !== undefined) await jobs.forgetUnhandled(lane.queue.name, id, topic)
  if (!hasBody(job)) await options.complete(leased)
  else if (!options.isHandled(topic)) await options.setAside(leased)
  else {
    const group = readGroup(job)
    const isAdmitted = group === undefined || (await groupOrder.admit(job, group, lane))
    if (isAdmitted && options.hasCapacity(topic)) return true
    if (isAdmitted && group !== undefined) await groupOrder.block(job, group)
    const until = isAdmitted ? options.postpone(topic) : Date.now() + BEHIND_GROUP_MS
    await jobs.delay({ queue: lane.queue.name, id, token: leased.token }, until, toNote(note))
  }
  return false
}
