import { createHash } from 'node:crypto'
import type { Queue } from 'bullmq'
import type { DeliveryJob, Lane } from './job.ts'

/** Ids of the jobs of one group, in their order: the first waits for its next attempt, and the others for the first. */
export interface GroupLine {
  readonly ids: readonly string[]
}

/** The lines of those groups in which something has failed. Only who holds a job of a group changes its line: one at a time. */
export interface GroupOrder {
  /** Whether the job may be handled now; if not, it has taken its place in the line. */
  isFirst(job: DeliveryJob, group: string, lane: Lane): Promise<boolean>
  /** Has others of the group wait for this job, which is to come again. */
  begin(job: DeliveryJob, group: string): Promise<void>
  /** Lets the next one of the group come, for this one will not. */
  leave(job: DeliveryJob, group: string, lane: Lane): Promise<void>
}

/** Keeps each line as a job that nobody takes. */
export function createGroupOrder(queue: Queue<GroupLine>): GroupOrder {
  return {
    async isFirst({ id = '' }, group, { queue: jobs }) {
      const line = await queue.getJob(keyOf(group))
      if (!line) return true
      let [first, ...others] = line.data.ids
      while (first && first !== id && isOver(await jobs.getJob(first))) [first, ...others] = others
      if (!first) await line.remove()
      if (!first || first === id) return true
      if (!others.includes(id)) await line.updateData({ ids: [first, ...others, id] })
      return false
    },
    async begin({ id = '' }, group) {
      await queue.add('line', { ids: [id] }, { jobId: keyOf(group) })
    },
    async leave({ id = '' }, group, { queue: jobs }) {
      const line = await queue.getJob(keyOf(group))
      if (!line) return
      const ids = line.data.ids.slice(line.data.ids.indexOf(id) + 1)
      const [next] = ids
      if (!next) return line.remove()
      await line.updateData({ ids })
      const job = await jobs.getJob(next)
      if (await job?.isDelayed()) await job?.promote()
    },
  }
}

/** It has left without a word: its worker was lost right then. */
function isOver(job: DeliveryJob | undefined): boolean {
  return job?.finishedOn !== undefined || job === undefined
}

function keyOf(group: string): string {
  return `group-${createHash('sha256').update(group).digest('hex')}`
}
