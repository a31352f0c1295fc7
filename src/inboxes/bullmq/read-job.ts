import type { JobJson } from 'bullmq'
import { type DeliveryJob, isUnreadable, type Lane } from './job.ts'
import type { OpenLanes } from './lanes.ts'

/** Reads a job. One that cannot be parsed, because somebody else has written it, is repaired first. */
export async function readJob({ repairJob }: OpenLanes, { queue }: Lane, id: string): Promise<DeliveryJob | undefined> {
  try {
    return await queue.getJob(id)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    await repairJob(queue, id)
    return queue.getJob(id)
  }
}

/** Makes a job of what was taken. One that cannot be parsed is repaired, and read again. */
export async function toJob(opened: OpenLanes, { worker, queue }: Lane, taken: JobJson): Promise<DeliveryJob> {
  try {
    return worker.toJob(taken)
  } catch (error) {
    if (!isUnreadable(error)) throw error
    await opened.repairJob(queue, taken.id)
    const repaired = await opened.findJob(worker, taken.id)
    if (!repaired) throw error
    return repaired
  }
}

/** Takes the next job of a lane. One that cannot be read is repaired: it would be the next one for ever. */
export async function getNextJob(
  opened: OpenLanes,
  { worker, queue }: Lane,
  token: string,
): Promise<DeliveryJob | undefined> {
  try {
    return await worker.getNextJob(token, { block: false })
  } catch (error) {
    // If the engine itself has failed, this fails too, or finds nothing.
    const id = await opened.findLocked(queue, token).catch(() => undefined)
    if (id === undefined) throw error
    await opened.repairJob(queue, id)
    return opened.findJob(worker, id)
  }
}
