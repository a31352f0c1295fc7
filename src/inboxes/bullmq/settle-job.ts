import type { AttemptFailure, Settlement } from '../queue/queue.ts'
import { FailedAttempt, type LeasedJob, noteAttempt, readGroup } from './job.ts'
import type { OpenLanes } from './lanes.ts'

/**
 * Moves a leased job to where its settlement puts it. False, or an error of BullMQ, if the token does not hold it.
 *
 * @param onRemoved is called when the delivery is not open any more: it was handled or is dead.
 */
export async function settleJob(
  { jobs, completeJob, groupOrder }: OpenLanes,
  { job, lane, token }: LeasedJob,
  settlement: Settlement,
  onRemoved: () => void,
): Promise<boolean> {
  const group = readGroup(job)
  const locked = { queue: lane.queue.name, id: job.id ?? '', token }
  if (settlement.state === 'returned' && settlement.delayMs === 0) return jobs.giveBack(locked)
  const isDelayed = settlement.state === 'failed' || settlement.state === 'returned'
  if (isDelayed && group !== undefined) await groupOrder.block(job, group)
  if (settlement.state === 'returned') return jobs.delay(locked, Date.now() + settlement.delayMs, noteAttempt(job))
  if (settlement.state !== 'handled')
    await job.moveToFailed(new FailedAttempt(settlement, noteAttempt(job, toFailure(settlement))), token, false)
  else if (!(await completeJob(locked))) return false
  if (settlement.state === 'failed') return true
  onRemoved()
  if (group !== undefined) await groupOrder.release(job, group, lane)
  return true
}

function toFailure({ error, resource, maxAttempts }: AttemptFailure): AttemptFailure {
  return { error, resource, maxAttempts }
}
