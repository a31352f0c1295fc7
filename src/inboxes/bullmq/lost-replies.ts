import type { Lane } from './job.ts'
import type { OpenLanes } from './lanes.ts'

/** Jobs that may have been taken although the reply did not arrive: attempts that nobody makes. */
export interface LostReplies {
  /** Records that the reply to a request with this token was lost. */
  add(lane: Lane, token: string): void
  /** Gives back what was taken nevertheless. */
  giveBack(opened: OpenLanes): Promise<void>
  /** When to look, on the monotonic clock. */
  lookAt(): number
}

interface Lost {
  readonly lane: Lane
  readonly token: string
  readonly until: number
}

const LOOK_MS = 500
/** The most tokens that are kept. An engine that is away for long takes no jobs. */
const MAX_LOST = 100

/**
 * An engine that was frozen may carry out a request long after its connection was given up. So a token is looked for
 * again and again until the lease would be over.
 */
export function createLostReplies(leaseMs: number): LostReplies {
  let lost: Lost[] = []
  let lookAt = Number.POSITIVE_INFINITY

  return {
    add(lane, token) {
      lost.push({ lane, token, until: performance.now() + leaseMs })
      lost = lost.slice(-MAX_LOST)
      lookAt = Number.NEGATIVE_INFINITY
    },
    async giveBack({ jobs }) {
      const now = performance.now()
      if (now < lookAt) return
      for (const { lane, token } of lost) await jobs.giveBackToken(lane.queue.name, token)
      lost = lost.filter(({ until }) => until > now)
      lookAt = lost.length === 0 ? Number.POSITIVE_INFINITY : performance.now() + LOOK_MS
    },
    lookAt: () => lookAt,
  }
}
