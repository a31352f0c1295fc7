import type { Settlement } from '../queue/queue.ts'
import { FailedAttempt, type LeasedJob, readGroup, removeBody } from './job.ts'
import type { OpenLanes } from './lanes.ts'

/**
 * Moves a leased job to where its settlement puts it.
 *
 * @param onRemoved is called when the delivery is not open any more: it was handled or is dead.
 */
export async function settleJob(
  { returnJob, groupOrder }: OpenLanes,
  { job, lane, token }: LeasedJob,
  settlement: Settlement,
  onRemoved: () => void,
): Promise<void> {
  const group = readGroup(job)
  if (settlement.state === 'returned' && settlement.delayMs === 0) {
    await returnJob(job, token)
    return
  }
  const isDelayed = settlement.state === 'failed' || settlement.state === 'returned'
  if (isDelayed && group !== undefined) await groupOrder.block(job, group)
  if (settlement.state === 'returned') return job.moveToDelayed(Date.now() + settlement.delayMs, token)
  if (settlement.state !== 'handled') await job.moveToFailed(new FailedAttempt(settlement), token, false)
  else {
    await job.moveToCompleted(null, token, false)
    // If this fails, the body only takes up space until its id expires.
    await removeBody(job).catch(() => {})
  }
  if (settlement.state === 'failed') return
  onRemoved()
  if (group !== undefined) await groupOrder.release(job, group, lane)
}
