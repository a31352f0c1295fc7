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
    async release({ id = '' }, group, { queue: jobs }) {
      const sequence = await readSequence(group)
      // A job that was set aside has never been in the sequence.
      if (!sequence?.data.ids.includes(id)) return
      const ids = sequence.data.ids.slice(sequence.data.ids.indexOf(id) + 1)
      const [next] = ids
      if (!next) {
        await remove(group)
        return
      }
      await sequence.updateData({ ids })
      const job = await ifReadable(jobs.getJob(next))
      // A job that cannot be read is repaired when it is taken.
      if (job === 'unreadable') return
      if (await job?.isDelayed()) await job?.promote()
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
