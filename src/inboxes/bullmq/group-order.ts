import { createHash } from 'node:crypto'
import type { Job, Queue } from 'bullmq'
import { type DeliveryJob, isUnreadable, type Lane } from './job.ts'

/**
 * The jobs of one group in their order, by id: the first waits for its next attempt, and the others wait for the first.
 */
export interface GroupSequence {
  readonly ids: readonly string[]
}

/**
 * The order of the jobs of a group in which an attempt has failed. Other groups need no record. Only the holder of a
 * job of a group changes the group's sequence, and each lane has one holder at a time.
 */
export interface GroupOrder {
  /** Whether the job may be handled now. If not, the job is added to the group's sequence. */
  admit(job: DeliveryJob, group: string, lane: Lane): Promise<boolean>
  /** Makes the other jobs of the group wait until this one has been handled. */
  block(job: DeliveryJob, group: string): Promise<void>
  /** Removes this job from the sequence of its group and lets the next one start. */
  release(job: DeliveryJob, group: string, lane: Lane): Promise<void>
  /**
   * Lets the next job of a group start after the first one was erased. It leaves the sequence to the holder of that
   * job, which removes those that have ended.
   */
  promoteNext(group: string, lane: Lane): Promise<void>
}

/** Stores each sequence as a job that no worker takes. */
export function createGroupOrder(queue: Queue<GroupSequence>): GroupOrder {
  /** A sequence that somebody else has written is removed: the order of its group starts anew. */
  async function readSequence(group: string): Promise<Job<GroupSequence> | undefined> {
    const sequence = await ifReadable(queue.getJob(toJobId(group)))
    if (sequence === undefined || (sequence !== 'unreadable' && isSequence(sequence.data))) return sequence
    await remove(group)
    return undefined
  }

  /** Leaves out the jobs at the beginning that have ended: they were erased. */
  async function skipEnded(ids: readonly string[], { queue }: Lane): Promise<readonly string[]> {
    let left = ids
    for (let [first] = left; first && hasEnded(await ifReadable(queue.getJob(first))); [first] = left) {
      left = left.slice(1)
    }
    return left
  }

  async function promote(id: string, { queue }: Lane): Promise<void> {
    const job = await ifReadable(queue.getJob(id))
    // A job that cannot be read is repaired when it is taken.
    if (job === 'unreadable') return
    if (await job?.isDelayed()) await job?.promote()
  }

  /** A job's own `remove` rejects on PostgreSQL if another worker, which had taken this one for lost, was faster. */
  function remove(group: string): Promise<unknown> {
    return queue.remove(toJobId(group))
  }

  return {
    async admit({ id = '' }, group, { queue: jobs }) {
      const sequence = await readSequence(group)
      if (!sequence) return true
      let [first, ...others] = sequence.data.ids
      while (first && first !== id && hasEnded(await ifReadable(jobs.getJob(first)))) [first, ...others] = others
      if (!first) await remove(group)
      if (!first || first === id) return true
      if (!others.includes(id)) await sequence.updateData({ ids: [first, ...others, id] })
      return false
    },
    async block({ id = '' }, group) {
      await queue.add('line', { ids: [id] }, { jobId: toJobId(group) })
    },
    async release({ id = '' }, group, lane) {
      const sequence = await readSequence(group)
      // A job that was set aside has never been in the sequence.
      if (!sequence?.data.ids.includes(id)) return
      const ids = await skipEnded(sequence.data.ids.slice(sequence.data.ids.indexOf(id) + 1), lane)
      const [next] = ids
      if (!next) {
        await remove(group)
        return
      }
      await sequence.updateData({ ids })
      await promote(next, lane)
    },
    async promoteNext(group, lane) {
      const ids = (await readSequence(group))?.data.ids ?? []
      const [next] = await skipEnded(ids, lane)
      if (next && next !== ids[0]) await promote(next, lane)
    },
  }
}

async function ifReadable<T>(reading: Promise<T>): Promise<T | 'unreadable'> {
  return reading.catch((error: unknown) => {
    if (isUnreadable(error)) return 'unreadable'
    throw error
  })
}

function isSequence(data: unknown): data is GroupSequence {
  const { ids } = Object(data)
  return Array.isArray(ids) && ids.every((id) => typeof id === 'string')
}

/** A job that has ended is still in the sequence if its worker was lost before it could remove it. */
function hasEnded(job: DeliveryJob | 'unreadable' | undefined): boolean {
  return job === undefined || (job !== 'unreadable' && job.finishedOn !== undefined)
}

function toJobId(group: string): string {
  return `group-${createHash('sha256').update(group).digest('hex')}`
}
