import { useEffect, useRef, useState } from 'preact/hooks'
import type { DeadLetterChoice, Job } from '../api.ts'
import { change, get, toSentence } from './api-client.ts'
import { formatCount, formatNumberOf } from './format.ts'
import type { Live } from './live.ts'

/** Work on many dead letters, as far as this page knows of it. */
export interface Jobs {
  readonly jobs: readonly Job[]
  readonly problem: string | undefined
  readonly start: (kind: Job['kind'], choice: DeadLetterChoice) => Promise<void>
  readonly undo: (id: string) => Promise<void>
  readonly dismiss: (id?: string) => void
}

const POLL_MS = 1000
/** What was done without an error is said for so long. */
const DONE_MS = 6000

export function useJobs(live: Live): Jobs {
  const [jobs, setJobs] = useState<readonly Job[]>([])
  const [problem, setProblem] = useState<string>()
  const dismissed = useRef(new Set<string>())
  const take = (job: Job) => {
    if (dismissed.current.has(job.id)) return
    setJobs((last) =>
      [...last.filter(({ id }) => id !== job.id), job].sort((a, b) => (a.startsAt < b.startsAt ? -1 : 1)),
    )
  }
  const attempt = async (call: () => Promise<Job>) => {
    setProblem(undefined)
    try {
      take(await call())
    } catch (error) {
      setProblem(toSentence(error))
    }
  }
  useEffect(() => live.listen((message) => message.type === 'job' && take(message.job)), [live])
  // The stream may be down: what is under way is asked for too.
  const open = jobs
    .filter(isOpen)
    .map(({ id }) => id)
    .join(' ')
  useEffect(() => {
    if (!open) return
    const timer = setInterval(() => {
      for (const id of open.split(' ')) get<Job>(`api/jobs/${encodeURIComponent(id)}`).then(take, () => undefined)
    }, POLL_MS)
    return () => clearInterval(timer)
  }, [open])
  const dismiss = (id?: string) => {
    if (id === undefined) return setProblem(undefined)
    dismissed.current.add(id)
    setJobs((last) => last.filter((job) => job.id !== id))
  }
  return {
    jobs,
    problem,
    start: (kind, choice) => attempt(() => change<Job>('POST', `api/inbox/${kind}`, choice)),
    undo: (id) => attempt(() => change<Job>('DELETE', `api/jobs/${encodeURIComponent(id)}`)),
    dismiss,
  }
}

function isOpen({ state }: Job): boolean {
  return state === 'waiting' || state === 'running'
}

/** What is under way, at the bottom of each page, with undo for what has not begun. */
export function JobBar({ jobs, problem, undo, dismiss }: Jobs) {
  return (
    <div class="jobs" aria-live="polite">
      {problem && (
        <div class="job problem" role="alert">
          <span>{problem}</span>
          <Dismiss onClick={() => dismiss()} />
        </div>
      )}
      {jobs.map((job) => (
        <JobLine key={job.id} job={job} undo={undo} dismiss={dismiss} />
      ))}
    </div>
  )
}

interface LineProps extends Pick<Jobs, 'undo' | 'dismiss'> {
  readonly job: Job
}

function JobLine({ job, undo, dismiss }: LineProps) {
  const { id, state, done, total, error } = job
  const [, tick] = useState(0)
  useEffect(() => {
    if (state === 'waiting') {
      const timer = setInterval(() => tick((last) => last + 1), 500)
      return () => clearInterval(timer)
    }
    if (state !== 'done' && state !== 'undone') return
    const timer = setTimeout(() => dismiss(id), DONE_MS)
    return () => clearTimeout(timer)
  }, [state, id])
  return (
    <div class={`job ${state === 'failed' ? 'problem' : ''}`}>
      <span>{describe(job)}</span>
      {state === 'running' && <progress aria-label="Progress" value={done} max={Math.max(total, 1)} />}
      {state === 'waiting' && (
        <button type="button" onClick={() => void undo(id)}>
          Undo
        </button>
      )}
      {!isOpen(job) && <Dismiss onClick={() => dismiss(id)} />}
      {error && <small>{error}</small>}
    </div>
  )
}

function describe({ kind, state, done, total, startsAt }: Job): string {
  const letters = formatNumberOf(total, 'dead letter')
  if (state === 'waiting') {
    const seconds = Math.max(0, Math.ceil((Date.parse(startsAt) - Date.now()) / 1000))
    return `${kind === 'discard' ? 'Discarding' : 'Retrying'} ${letters} in ${seconds} s`
  }
  if (state === 'running') {
    return `${kind === 'discard' ? 'Discarding' : 'Retrying'}: ${formatCount(done)} of ${formatCount(total)}`
  }
  if (state === 'undone') return 'Undone. Nothing was discarded.'
  if (state === 'failed') return `Stopped after ${formatCount(done)} of ${formatCount(total)}.`
  return `${kind === 'discard' ? 'Discarded' : 'Put back into the queue'}: ${formatCount(done)} of ${letters}.`
}

function Dismiss({ onClick }: { readonly onClick: () => void }) {
  return (
    <button type="button" class="close" aria-label="Dismiss" onClick={onClick}>
      ×
    </button>
  )
}
