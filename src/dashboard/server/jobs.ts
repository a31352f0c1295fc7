import { randomBytes } from 'node:crypto'
import type { Inbox } from '../../index.ts'
import type { Job } from '../api.ts'
import { type Ask, notFound, Refusal } from './problem.ts'

type Kind = Job['kind']
type DeadLetters = Inbox['deadLetters']

/** Retries and discards of many dead letters, which go on when the page is closed. */
export interface Jobs {
  /** Begins a job for these dead letters: a retry at once, a discard when it can be undone no more. */
  start(kind: Kind, ids: readonly string[]): Job
  /** @throws Refusal 404 */
  get(id: string): Job
  /**
   * Undoes a job that has not begun.
   *
   * @throws Refusal 404, and 409 if it has begun
   */
  undo(id: string): Job
  /** Undoes what has not begun. What is under way ends after the dead letters that are being changed. */
  close(): void
}

interface JobsOptions {
  readonly deadLetters: DeadLetters | undefined
  readonly ask: Ask
  readonly onChange: (job: Job) => void
}

/** How long a discard can be undone. */
const UNDO_MS = 10_000
/** How long an ended job can be asked for, and how many. */
const KEEP_MS = 10 * 60_000
const MAX_JOBS = 100
/** How many dead letters are changed at once, and between two reports of progress. */
const CONCURRENCY = 8
const CHUNK = 80

type State = { -readonly [Name in keyof Job]: Job[Name] } & { timer?: ReturnType<typeof setTimeout> | undefined }

export function createJobs({ deadLetters, ask, onChange }: JobsOptions): Jobs {
  const jobs = new Map<string, State>()
  let isClosed = false

  function change(state: State, changes: Partial<Job>): void {
    Object.assign(state, changes)
    onChange(toJob(state))
    if (!isEnded(state)) return
    state.timer = setTimeout(() => jobs.delete(state.id), KEEP_MS)
    state.timer.unref()
  }

  async function run(state: State, ids: readonly string[]): Promise<void> {
    change(state, { state: 'running' })
    try {
      for (let from = 0; from < ids.length; from += CHUNK) {
        if (isClosed) throw new Refusal(503, 'The server was stopped before all was done.')
        // Those that are gone meanwhile count as done: somebody else has retried or discarded them.
        await ask('inbox', () => settle(deadLetters, state.kind, ids.slice(from, from + CHUNK)))
        state.done = Math.min(from + CHUNK, ids.length)
        if (state.done < ids.length) onChange(toJob(state))
      }
      change(state, { state: 'done' })
    } catch (error) {
      const reason = error instanceof Refusal ? error.message : 'It failed.'
      change(state, { state: 'failed', error: `${reason} The others are as they were.` })
    }
  }

  function find(id: string): State {
    const state = jobs.get(id)
    if (!state) throw notFound('job')
    return state
  }

  function undo(state: State): void {
    clearTimeout(state.timer)
    change(state, { state: 'undone' })
  }

  return {
    start(kind, ids) {
      if ([...jobs.values()].filter((one) => !isEnded(one)).length >= MAX_JOBS) {
        throw new Refusal(503, 'Too many jobs are under way. Try again when some have ended.')
      }
      while (jobs.size >= MAX_JOBS) dropOldest(jobs)
      const delayMs = kind === 'discard' ? UNDO_MS : 0
      const startsAt = new Date(Date.now() + delayMs).toISOString()
      const id = randomBytes(12).toString('base64url')
      const state: State = { id, kind, state: 'waiting', done: 0, total: ids.length, startsAt }
      jobs.set(id, state)
      onChange(toJob(state))
      state.timer = setTimeout(() => void run(state, ids), delayMs)
      return toJob(state)
    },
    get: (id) => toJob(find(id)),
    undo(id) {
      const state = find(id)
      if (state.state !== 'waiting') throw new Refusal(409, 'It cannot be undone: it has begun.')
      undo(state)
      return toJob(state)
    },
    close() {
      isClosed = true
      for (const state of jobs.values()) {
        if (state.state === 'waiting') undo(state)
        clearTimeout(state.timer)
      }
    },
  }
}

async function settle(deadLetters: DeadLetters | undefined, kind: Kind, ids: readonly string[]): Promise<void> {
  const left = [...ids]
  const worker = async () => {
    for (let id = left.shift(); id !== undefined; id = left.shift()) await deadLetters?.[kind](id)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

function dropOldest(jobs: Map<string, State>): void {
  const [oldest] = [...jobs.values()].filter(isEnded)
  if (!oldest) return
  clearTimeout(oldest.timer)
  jobs.delete(oldest.id)
}

function isEnded({ state }: Pick<Job, 'state'>): boolean {
  return state === 'done' || state === 'undone' || state === 'failed'
}

function toJob({ timer, ...job }: State): Job {
  return job
}
