import { randomUUID } from 'node:crypto'
import { hasBody, type Lane, type LeasedJob, readGroup, resetOptions } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { getNextJob } from './read-job.ts'

/** How long a delivery waits for an earlier one of its group. It is promoted as soon as that one has been handled. */
const BEHIND_GROUP_MS = 30_000

export interface TakeOptions {
  readonly hasCapacity: (topic: string) => boolean
  /** When to look again at a delivery whose topic has no free capacity. */
  readonly postpone: (topic: string) => number
  /** Completes a job that was discarded. */
  readonly complete: (discarded: LeasedJob) => Promise<void>
}

/**
 * Takes the next job of a lane. `skipped` means that the next job could not be handled now and was moved away; `empty`
 * means that the lane has no job that can be taken.
 */
export async function takeJob(
  opened: OpenLanes,
  lane: Lane,
  { hasCapacity, postpone, complete }: TakeOptions,
): Promise<LeasedJob | 'skipped' | 'empty'> {
  const token = randomUUID()
  const { groupOrder } = opened
  const job = await getNextJob(opened, lane, token)
  if (!job) return 'empty'
  resetOptions(job)
  const leased = { job, lane, token }
  if (!hasBody(job)) {
    await complete(leased)
    return 'skipped'
  }
  const { name: topic } = job
  const group = readGroup(job)
  const isAdmitted = group === undefined || (await groupOrder.admit(job, group, lane))
  if (isAdmitted && hasCapacity(topic)) return leased
  if (isAdmitted && group !== undefined) await groupOrder.block(job, group)
  await job.moveToDelayed(isAdmitted ? postpone(topic) : Date.now() + BEHIND_GROUP_MS, token)
  return 'skipped'
}
