import type { RunQuery } from './postgres-jobs.ts'

/** Takes jobs back whose worker was lost. */
export interface LeaseCheck {
  start(): void
  close(): void
}

interface Lease {
  readonly queue: string
  readonly id: string
  readonly lock_token: string | null
  readonly locked_until: string | null
}

const READ = `
SELECT queue, id, lock_token, locked_until_ms::text AS locked_until FROM job WHERE queue = ANY($1) AND state = 'active'`

/** The sequence number of a job is its place, and stays. */
const TAKE_BACK = `
WITH lost AS (
  SELECT job.queue, job.id FROM job
    JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (queue, id, token, until)
      ON job.queue = given.queue AND job.id = given.id
   WHERE state = 'active' AND lock_token IS NOT DISTINCT FROM given.token
     AND locked_until_ms IS NOT DISTINCT FROM given.until::bigint
   ORDER BY job.queue, job.id FOR UPDATE OF job
), changed AS (
  UPDATE job SET state = 'waiting', stalled_count = stalled_count + 1, lock_token = NULL, locked_until_ms = NULL,
    stalled_marked = false
   FROM lost WHERE job.queue = lost.queue AND job.id = lost.id RETURNING job.queue
) SELECT pg_notify('bullmq_jobs', queue) FROM changed`

/**
 * A lease is over when it has stood unchanged for `leaseMs` on the monotonic clock of this process. The time in it is
 * that of another machine, or of a clock that was set since. BullMQ's own check trusts that time, and puts the job at
 * the end of its queue.
 */
export function createLeaseCheck(query: RunQuery, queues: readonly string[], leaseMs: number): LeaseCheck {
  const everyMs = leaseMs / 4
  let seenSince = new Map<string, number>()
  let lookedAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let isBusy = false

  async function check(): Promise<void> {
    const leases = (await query(READ, [queues])).rows as Lease[]
    const now = performance.now()
    // Nobody could renew while the engine was away, and this process has seen nothing while it was blocked.
    const known = now - lookedAt < leaseMs / 2 ? seenSince : new Map<string, number>()
    lookedAt = now
    seenSince = new Map(leases.map((lease) => [toKey(lease), known.get(toKey(lease)) ?? now]))
    const lost = leases.filter((lease) => now - (seenSince.get(toKey(lease)) ?? now) >= leaseMs)
    if (lost.length === 0) return
    const column = (name: keyof Lease) => lost.map((lease) => lease[name])
    await query(TAKE_BACK, [column('queue'), column('id'), column('lock_token'), column('locked_until')])
  }

  async function checkOnce(): Promise<void> {
    if (isBusy) return
    isBusy = true
    // The engine is away: whoever leases from it reports that.
    await check().catch(() => {})
    isBusy = false
  }

  return {
    start() {
      timer ??= setInterval(checkOnce, everyMs)
    },
    close: () => clearInterval(timer),
  }
}

function toKey({ queue, id, lock_token, locked_until }: Lease): string {
  return [queue, id, lock_token, locked_until].join(' ')
}
