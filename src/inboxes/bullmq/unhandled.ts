import { type InboxLimits, type LeaseRequest, NO_HANDLER } from '../queue/queue.ts'
import { countAttempts, type LeasedJob, readGroup, readNote, toNote } from './job.ts'
import type { OpenLanes } from './lanes.ts'
import { settleJob } from './settle-job.ts'

/** The jobs that wait for a worker that has a handler for their topic. */
export interface Unhandled {
  /** Sets a job aside, or makes it a dead letter if it has waited for too long. */
  setAside(opened: OpenLanes, leased: LeasedJob, request: LeaseRequest): Promise<void>
  /** Puts jobs back that this worker has a handler for, and of those that are too many. Resolves with how many. */
  look(opened: OpenLanes, request: LeaseRequest): Promise<number>
  /** When to look, on the monotonic clock. */
  lookAt(): number
}

/** How often a worker looks for jobs that others have set aside, and how soon after it has set one aside itself. */
const LOOK_MS = 5000
const LOOK_SOON_MS = 500
/** How many are put back at least, and when there may be more. Workers without the handler set them aside again. */
const CALLED_BACK = 50
const LOOK_AGAIN_MS = 100

/** The note of a job that is one too many: it has waited since the epoch. */
const TOO_MANY = toNote({ unhandledSince: 0 })

/**
 * A job that is set aside stays in its queue as one that is delayed until its time is over. So each change is one step
 * of one queue, its id stays known, and a worker of an earlier version still finds it. Its note tells it from jobs that
 * wait for their next attempt. A queue for each topic would need a copy and a removal, and a kill between the two.
 */
export function createUnhandled({ maxUnhandled, unhandledMs }: InboxLimits, onEnded: () => void): Unhandled {
  let lookAt = Number.NEGATIVE_INFINITY

  return {
    async setAside(opened, { job, lane, token }, { onUnhandled }) {
      const { jobs, groupOrder } = opened
      const { id = '', name: topic } = job
      const { unhandledSince, ...note } = readNote(job)
      const since = unhandledSince ?? Date.now()
      if (Date.now() - since >= unhandledMs) {
        const attempts = countAttempts(job)
        await settleJob(opened, { job, lane, token }, { state: 'dead', error: NO_HANDLER, attempts }, onEnded)
        onUnhandled(topic, 1)
        return
      }
      const locked = { queue: lane.queue.name, id, token }
      if (!(await jobs.setAside(locked, topic, since + unhandledMs, toNote({ unhandledSince: since, ...note })))) return
      lookAt = Math.min(lookAt, performance.now() + LOOK_SOON_MS)
      const group = readGroup(job)
      if (group !== undefined) await groupOrder.release(job, group, lane)
      if (unhandledSince === undefined) {
        onEnded()
        onUnhandled(topic, 0)
      }
    },
    async look({ jobs }, { capacity, isHandled }) {
      lookAt = performance.now() + LOOK_MS
      let moved = 0
      for (const [topic, count] of await jobs.countUnhandled()) {
        if (isHandled(topic)) moved += await jobs.callBack(topic, Math.max(capacity, CALLED_BACK))
        else if (count > maxUnhandled) moved += await jobs.callBack(topic, count - maxUnhandled, TOO_MANY)
      }
      if (moved > 0) lookAt = performance.now() + LOOK_AGAIN_MS
      return moved
    },
    lookAt: () => lookAt,
  }
}
