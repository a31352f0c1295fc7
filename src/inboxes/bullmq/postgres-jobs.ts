import type { JobJson } from 'bullmq'
import { type EngineJobs, type JobCount, type JobRecord, type LockedJob, UNHANDLED_NOTE } from './engine-jobs.ts'

/** Runs one statement, with BullMQ's schema in the search path. */
export type RunQuery = (text: string, values: unknown[]) => Promise<{ readonly rows: unknown[] }>

/** A job that waits for a handler is a delayed one whose note says so: it needs no other record. */
const IS_UNHANDLED = `(state = 'delayed' AND failed_reason LIKE '${UNHANDLED_NOTE}%')`

/** Rows are locked in the order of their key, so that no two statements wait for each other. */
const HELD = `
WITH held AS (
  SELECT job.queue, job.id FROM job
    JOIN unnest($1::text[], $2::text[], $3::text[]) AS given (queue, id, token)
      ON job.queue = given.queue AND job.id = given.id
   WHERE state = 'active' AND lock_token = given.token
   ORDER BY job.queue, job.id FOR UPDATE OF job
), `

const UNLOCKED = `lock_token = NULL, locked_until_ms = NULL, stalled_marked = false`

/** Calls the function of BullMQ that takes one job. The functions see what those before them have changed. */
const TAKE = `
SELECT token, id, name, added_at_ms::float8 AS timestamp, data::text, failed_reason, dedup_id, attempts_made,
  stalled_count
  FROM unnest($2::text[]) AS token, move_to_active($1, token, $3, $4, NULL, NULL, NULL)`

const COMPLETE = `${HELD} changed AS (
  UPDATE job SET state = 'completed', data = '{}', return_value = 'null', failed_reason = NULL, stacktrace = NULL,
    finished_at_ms = $4, attempts_made = attempts_made + 1, ${UNLOCKED}
   FROM held WHERE job.queue = held.queue AND job.id = held.id RETURNING job.queue, job.id
) SELECT queue, id FROM changed`

/** The sequence number of a job is its place, and stays. */
const GIVE_BACK = `${HELD} changed AS (
  UPDATE job SET state = 'waiting', delay_ms = 0, process_at_ms = NULL, ${UNLOCKED}
   FROM held WHERE job.queue = held.queue AND job.id = held.id RETURNING job.queue, job.id
) SELECT queue, id, pg_notify('bullmq_jobs', queue) FROM changed`

const GIVE_BACK_TOKEN = `
WITH changed AS (
  UPDATE job SET state = 'waiting', delay_ms = 0, process_at_ms = NULL, ${UNLOCKED}
   WHERE queue = $1 AND state = 'active' AND lock_token = $2 RETURNING queue
) SELECT pg_notify('bullmq_jobs', queue) FROM changed`

const DELAY = `${HELD} changed AS (
  UPDATE job SET state = 'delayed', process_at_ms = $4, delay_ms = 0, failed_reason = $5, ${UNLOCKED}
   FROM held WHERE job.queue = held.queue AND job.id = held.id RETURNING job.queue, job.id
) SELECT queue, id, pg_notify('bullmq_jobs', queue) FROM changed`

const COUNT_UNHANDLED = `
SELECT name, count(*)::int AS count FROM job WHERE queue = ANY($1) AND ${IS_UNHANDLED} GROUP BY name`

const CALL_BACK = `
WITH oldest AS (
  SELECT queue, id FROM job WHERE queue = ANY($1) AND name = $2 AND ${IS_UNHANDLED}
   ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED
), changed AS (
  UPDATE job SET state = 'waiting', delay_ms = 0, process_at_ms = NULL, failed_reason = COALESCE($4, failed_reason)
   FROM oldest WHERE job.queue = oldest.queue AND job.id = oldest.id RETURNING job.queue
), told AS (
  SELECT pg_notify('bullmq_jobs', queue) FROM (SELECT DISTINCT queue FROM changed) AS queues
) SELECT count(*)::int AS count, (SELECT count(*) FROM told) FROM changed`

const COUNT = `
SELECT name, ${IS_UNHANDLED} AS unhandled, state, count(*)::int AS count, min(added_at_ms)::float8 AS oldest
  FROM job WHERE queue = ANY($1) AND state IN ('waiting', 'active', 'delayed', 'failed') GROUP BY 1, 2, 3`

const IS_OPEN = `state IN ('waiting', 'active', 'delayed', 'failed')`

/** The size is known without reading a large body. */
const HAS_DATA = `CASE WHEN pg_column_size(data) > 64 THEN true ELSE data NOT IN ('{}', 'null') END`

const LIST_IDS = `SELECT id FROM job WHERE queue = $1 AND ${IS_OPEN}`

const WANTED = `unnest($2::text[]) WITH ORDINALITY AS wanted (id, place)`

const READ = `
SELECT id, state, ${IS_UNHANDLED} AS unhandled, process_at_ms::float8 AS due_at, name, added_at_ms::float8 AS timestamp,
  finished_at_ms::float8 AS finished_on, failed_reason, dedup_id, attempts_made, stalled_count
  FROM ${WANTED} JOIN job USING (id)
 WHERE queue = $1 AND ${IS_OPEN} AND (state <> 'failed' OR failed_reason IS NOT NULL) AND ${HAS_DATA} ORDER BY place`

const READ_DATA = `
SELECT job.data FROM ${WANTED} LEFT JOIN job ON job.id = wanted.id AND queue = $1 AND ${IS_OPEN} ORDER BY place`

const FINISHED = `state = 'completed', data = '{}', return_value = 'null', failed_reason = NULL, stacktrace = NULL,
    delay_ms = 0, process_at_ms = NULL`

const ERASE = `
WITH found AS (
  SELECT queue, id, state, ${IS_UNHANDLED} AS unhandled FROM job WHERE queue = $1 AND id = ANY($2) AND ${IS_OPEN}
   ORDER BY id FOR UPDATE
), changed AS (
  UPDATE job SET ${FINISHED}, finished_at_ms = $3
   FROM found WHERE job.queue = found.queue AND job.id = found.id AND found.state <> 'active'
) SELECT found.state, unhandled FROM ${WANTED} LEFT JOIN found ON found.id = wanted.id ORDER BY place`

const DISCARD_OLD = `
WITH old AS (
  SELECT queue, id FROM job WHERE queue = $1 AND state = 'failed' AND finished_at_ms <= $2
   ORDER BY finished_at_ms LIMIT $3 FOR UPDATE SKIP LOCKED
), changed AS (
  UPDATE job SET ${FINISHED}, finished_at_ms = $4 FROM old
   WHERE job.queue = old.queue AND job.id = old.id RETURNING 1
) SELECT count(*)::int AS count FROM changed`

const DISCARD_FAILED = `
WITH known AS (
  SELECT queue, job_id AS id FROM dedup WHERE queue = ANY($1) AND dedup_id = ANY($2)
  UNION SELECT queue, id FROM unnest($1::text[]) AS queue, unnest($2::text[]) AS id
), failed AS (
  SELECT job.queue, job.id, COALESCE(NULLIF(dedup_id, ''), job.id) AS delivery_id FROM known
    JOIN job ON job.queue = known.queue AND job.id = known.id
   WHERE state = 'failed' AND COALESCE(NULLIF(dedup_id, ''), job.id) = ANY($2)
   ORDER BY job.queue, job.id FOR UPDATE OF job
), changed AS (
  UPDATE job SET state = 'completed', data = '{}', return_value = 'null', failed_reason = NULL, stacktrace = NULL,
    finished_at_ms = $3
   FROM failed WHERE job.queue = failed.queue AND job.id = failed.id RETURNING delivery_id
) SELECT delivery_id FROM changed`

const STATES: Readonly<Record<string, JobCount['state']>> = {
  waiting: 'queued',
  active: 'running',
  delayed: 'failed',
  failed: 'dead',
}

interface StateRow {
  readonly unhandled: boolean
  readonly state: string
}

interface CountRow extends StateRow {
  readonly name: string
  readonly count: number
  readonly oldest: number
}

interface TakenRow extends Omit<JobRow, 'state' | 'unhandled' | 'due_at' | 'finished_on'> {
  readonly token: string
  readonly data: string
}

interface JobRow extends StateRow {
  readonly id: string
  readonly due_at: number | null
  readonly name: string
  readonly timestamp: number
  readonly finished_on: number | null
  readonly failed_reason: string | null
  readonly dedup_id: string | null
  readonly attempts_made: number
  readonly stalled_count: number
}

/** @param queues are the names of the lanes. */
export function createPostgresJobs(query: RunQuery, queues: readonly string[]): EngineJobs {
  async function run<T>(text: string, ...values: unknown[]): Promise<T[]> {
    return (await query(text, values)).rows as T[]
  }

  /** Changes locked jobs. Resolves with those that their tokens held. */
  async function change(text: string, jobs: readonly LockedJob[], ...values: unknown[]): Promise<Set<string>> {
    const given = [jobs.map(({ queue }) => queue), jobs.map(({ id }) => id), jobs.map(({ token }) => token)]
    const rows = await run<LockedJob>(text, ...given, ...values)
    return new Set(rows.map(toKey))
  }

  const changeOne = async (text: string, job: LockedJob, ...values: unknown[]) =>
    (await change(text, [job], ...values)).size > 0

  const delay: EngineJobs['delay'] = (job, until, note) => changeOne(DELAY, job, until, note)

  return {
    async take(queue, tokens, leaseMs) {
      const rows = await run<TakenRow>(TAKE, queue, tokens, leaseMs, Date.now())
      return rows.map((row) => ({ job: toJobJson(row), token: row.token }))
    },
    async complete(jobs) {
      const completed = await change(COMPLETE, jobs, Date.now())
      return jobs.map((job) => completed.has(toKey(job)))
    },
    giveBack: (job) => changeOne(GIVE_BACK, job),
    giveBackToken: (queue, token) => run(GIVE_BACK_TOKEN, queue, token),
    delay,
    setAside: (job, _topic, until, note) => delay(job, until, note),
    async countUnhandled() {
      const rows = await run<CountRow>(COUNT_UNHANDLED, queues)
      return new Map(rows.map(({ name, count }) => [name, count]))
    },
    async callBack(topic, count, note) {
      const [row] = await run<CountRow>(CALL_BACK, queues, topic, count, note ?? null)
      return row?.count ?? 0
    },
    forgetUnhandled: async () => undefined,
    async count() {
      const rows = await run<CountRow>(COUNT, queues)
      return rows.map(({ name, unhandled, state, count, oldest }) => ({
        topic: name,
        state: toState({ unhandled, state }),
        count,
        oldest,
      }))
    },
    async listIds(queue) {
      return (await run<JobRow>(LIST_IDS, queue)).map(({ id }) => id)
    },
    async read(queue, ids) {
      return (await run<JobRow>(READ, queue, ids)).map(toJobRecord)
    },
    async readData(queue, ids) {
      return (await run<{ readonly data: unknown }>(READ_DATA, queue, ids)).map(({ data }) => data)
    },
    async erase(queue, ids) {
      const rows = await run<StateRow | { readonly state: null }>(ERASE, queue, ids, Date.now())
      return rows.map((row) => (row.state === null ? undefined : toState(row)))
    },
    async discardOld(queue, failedUntil, count) {
      const [row] = await run<CountRow>(DISCARD_OLD, queue, failedUntil, count, Date.now())
      return row?.count ?? 0
    },
    async discardFailed(deliveryIds) {
      const rows = await run<{ readonly delivery_id: string }>(DISCARD_FAILED, queues, deliveryIds, Date.now())
      return rows.map(({ delivery_id }) => delivery_id)
    },
  }
}

function toKey({ queue, id }: Pick<LockedJob, 'queue' | 'id'>): string {
  return `${queue} ${id}`
}

function toState({ state, unhandled }: StateRow): JobCount['state'] {
  return unhandled ? 'unhandled' : (STATES[state] ?? 'queued')
}

/** As BullMQ reads a job, without what is not used of it. */
function toJobJson(row: TakenRow): JobJson {
  return {
    id: row.id,
    name: row.name,
    data: row.data,
    opts: {},
    progress: 0,
    attemptsStarted: 0,
    attemptsMade: row.attempts_made,
    stalledCounter: row.stalled_count,
    timestamp: row.timestamp,
    failedReason: row.failed_reason ?? '',
    returnvalue: 'null',
    ...(row.dedup_id !== null && { deduplicationId: row.dedup_id }),
  }
}

function toJobRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    state: toState(row),
    dueAt: row.due_at ?? 0,
    name: row.name,
    timestamp: row.timestamp,
    finishedOn: row.finished_on ?? 0,
    failedReason: row.failed_reason ?? '',
    deduplicationId: row.dedup_id ?? undefined,
    attemptsMade: row.attempts_made,
    stalledCounter: row.stalled_count,
  }
}
