import { randomUUID } from 'node:crypto'
import { type DeliveryJob, hasBody, type Lane, type LeasedJob } from './job.ts'
import type { OpenLanes } from './lanes.ts'

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
  { groupOrder }: OpenLanes,
  lane: Lane,
  { hasCapacity, postpone, complete }: TakeOptions,
): Promise<LeasedJob | 'skipped' | 'empty'> {
  const token = randomUUID()
  const job: DeliveryJob | undefined = await lane.worker.getNextJob(token, { block: false })
  if (!job) return 'empty'
  const leased = { job, lane, token }
  if (!hasBody(job)) {
    await complete(leased)
    return 'skipped'
  }
  const { name: topic, data } = job
  const { group } = data
  const isAdmitted = group === undefined || (await groupOrder.admit(job, group, lane))
  if (isAdmitted && hasCapacity(topic)) return leased
  if (isAdmitted && group !== undefined) await groupOrder.block(job, group)
  await job.moveToDelayed(isAdmitted ? postpone(topic) : Date.now() + BEHIND_GROUP_MS, token)
  return 'skipped'
}
