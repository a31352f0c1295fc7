import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { DeadLetterChoice, InboxCounts, InboxItem, InboxState, Setup } from '../../api.ts'
import { get } from '../api-client.ts'
import { SearchField, TopicChoice } from '../deliveries/filters.tsx'
import { formatCount, formatSpan } from '../format.ts'
import type { Jobs } from '../jobs.tsx'
import type { Live } from '../live.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Empty, ProblemNotice } from '../parts/notice.tsx'
import { ResourceName } from '../parts/outcome.tsx'
import { Rows, type RowsControl } from '../parts/rows.tsx'
import { Plain, Time } from '../parts/text.tsx'
import { go, type Route, toHash } from '../route.ts'
import { useLoaded } from '../use-loaded.ts'
import { INBOX_STATES } from '../words.ts'
import { DeadLetterPanel } from './dead-letter-panel.tsx'
import { useInboxList } from './use-inbox-list.ts'

interface PageProps {
  readonly route: Route
  readonly setup: Setup
  readonly live: Live
  readonly jobs: Jobs
}

const STATES = Object.keys(INBOX_STATES) as InboxState[]
const SELECTED = <span class="unseen">Selected</span>
const COLUMNS = [SELECTED, 'Received', 'State', 'Topic', 'Resource', 'Attempts', 'Cause']

export function InboxPage(props: PageProps) {
  if (props.setup.hasInbox) return <Inbox {...props} />
  return (
    <Empty title="There is no inbox here" code="createDashboard({ recorder, inbox, authorize })">
      <p>Give the dashboard the inbox of the receiver:</p>
    </Empty>
  )
}

function Inbox({ route, setup, live, jobs }: PageProps) {
  const { id, query } = route
  const counts = useCounts(live)
  const state = query.state ?? 'dead'
  const control = useRef<RowsControl | undefined>(undefined)
  const isReading = () => id !== undefined || (control.current?.isReading() ?? false)
  const list = useInboxList({ ...query, state }, counts.value, isReading)
  const { reload } = list
  const ended = jobs.jobs.filter((job) => job.state === 'done').map((job) => job.id)
  // What the reader has changed is shown at once, also while a row has the focus.
  useEffect(() => {
    if (ended.length > 0) reload()
  }, [ended.join(), reload])
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set())
  const set = (change: Record<string, string>) => {
    setMarked(new Set())
    go({ page: 'inbox', query: { ...query, ...change } }, { replace: true })
  }
  const mark = useCallback((item: InboxItem) => {
    if (item.state !== 'dead') return
    setMarked((last) =>
      last.has(item.id) ? new Set([...last].filter((one) => one !== item.id)) : new Set([...last, item.id]),
    )
  }, [])
  const open = (item: InboxItem | undefined) => {
    if (item && item.state !== 'dead') return
    go({ page: 'inbox', id: item?.id, query })
  }
  return (
    <div class={id ? 'split is-open' : 'split'}>
      <section class="list" aria-labelledby="page-title">
        <h1 id="page-title" class="unseen">
          Inbox
        </h1>
        {counts.problem && <ProblemNotice text={counts.problem} onRetry={counts.reload} />}
        {counts.value && <Counts counts={counts.value} state={state} onChoose={(next) => set({ state: next })} />}
        <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <SearchField value={query.search ?? ''} label="Order number or id" onChange={(search) => set({ search })} />
          <TopicChoice value={query.topic ?? ''} setup={setup} onChange={(topic) => set({ topic })} />
          {query.code && (
            <button type="button" class="chip" onClick={() => set({ code: '' })}>
              {query.code} ×
            </button>
          )}
          {list.hasChanged && (
            <button type="button" onClick={list.reload}>
              The inbox has changed: refresh
            </button>
          )}
        </form>
        {state === 'dead' && (
          <ManyActions
            query={query}
            counts={counts.value}
            marked={marked}
            jobs={jobs}
            onDone={() => setMarked(new Set())}
          />
        )}
        {list.problem && <ProblemNotice text={list.problem} onRetry={list.reload} />}
        <div class="rows-frame">
          <Rows
            label={`Deliveries in the inbox: ${INBOX_STATES[state as InboxState] ?? state}`}
            kind="inbox"
            columns={COLUMNS}
            items={list.items}
            keyOf={({ id: key }) => key}
            renderCells={(item) => renderCells(item, marked.has(item.id), mark)}
            openKey={id}
            onOpen={open}
            onMark={mark}
            onEnd={list.loadMore}
            control={control}
          />
          {list.items.length === 0 && !list.isLoading && !list.problem && <NoItems state={state} query={query} />}
        </div>
        <p class="foot" role="status">
          {list.isLoading && list.items.length === 0 && 'Loading…'}
          {list.items.length > 0 && `${formatCount(list.items.length)} shown`}
          {list.hasMore && '. Scroll down for more.'}
        </p>
      </section>
      {id && <DeadLetterPanel id={id} jobs={jobs} onClose={() => open(undefined)} />}
    </div>
  )
}

/** Told by the server while somebody looks. */
function useCounts(live: Live) {
  const loaded = useLoaded('inbox', (signal) => get<InboxCounts>('api/inbox', {}, signal))
  const [told, setTold] = useState<InboxCounts>()
  const { reload } = loaded
  useEffect(() => {
    return live.listen((message) => {
      if (message.type === 'inbox') setTold(message.counts)
      if (message.type === 'gap') reload()
    })
  }, [live, reload])
  // What was asked for last is newer than what was told before.
  useEffect(() => setTold(undefined), [loaded.value])
  return { ...loaded, value: told ?? loaded.value }
}

interface CountsProps {
  readonly counts: InboxCounts
  readonly state: string
  readonly onChoose: (state: string) => void
}

function Counts({ counts, state, onChoose }: CountsProps) {
  const topics = Object.entries(counts.byTopic)
  return (
    <>
      <div class="counts">
        {STATES.map((name) => (
          <button key={name} type="button" aria-pressed={state === name} class={name} onClick={() => onChoose(name)}>
            <strong>{formatCount(counts[name])}</strong> {INBOX_STATES[name]}
          </button>
        ))}
        {counts.oldest && (
          <p class="quiet">
            oldest waiting since <Time at={counts.oldest} /> ({formatSpan(Date.now() - Date.parse(counts.oldest))})
          </p>
        )}
      </div>
      {topics.length > 1 && (
        <details class="by-topic">
          <summary>By topic</summary>
          <table>
            <thead>
              <tr>
                <th>Topic</th>
                {STATES.map((name) => (
                  <th key={name} class="number">
                    {INBOX_STATES[name]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {topics.map(([topic, one]) => (
                <tr key={topic}>
                  <th scope="row">
                    <a href={toHash({ page: 'inbox', query: { state, topic } })}>
                      <Plain text={topic} />
                    </a>
                  </th>
                  {STATES.map((name) => (
                    <td key={name} class="number">
                      {one[name] === 0 ? <span class="quiet">0</span> : formatCount(one[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </>
  )
}

function renderCells(item: InboxItem, isMarked: boolean, mark: (item: InboxItem) => void) {
  const { attempts, maxAttempts, nextAttemptAt, error, resource, state, topic, receivedAt } = item
  return [
    state === 'dead' && (
      <input
        type="checkbox"
        tabIndex={-1}
        aria-label="Select"
        checked={isMarked}
        onClick={(event) => event.stopPropagation()}
        onChange={() => mark(item)}
      />
    ),
    <Time key="time" at={receivedAt} />,
    <span key="state" class={`mark ${state}`}>
      {INBOX_STATES[state]}
    </span>,
    <Plain key="topic" text={topic} />,
    resource && <ResourceName resource={resource} />,
    <>
      {attempts}
      {maxAttempts !== undefined && ` of ${maxAttempts}`}
      {nextAttemptAt && (
        <small>
          next <Time at={nextAttemptAt} />
        </small>
      )}
    </>,
    error && <Plain text={[error.handler, error.cause ?? error.message].filter(Boolean).join(': ')} />,
  ]
}

function NoItems({ state, query }: { readonly state: string; readonly query: Route['query'] }) {
  if (query.topic || query.search || query.code) {
    return (
      <Empty title="Nothing matches">
        <p>
          <a href={toHash({ page: 'inbox', query: { state } })}>Show all of this state</a>
        </p>
      </Empty>
    )
  }
  if (state === 'dead') {
    return (
      <Empty title="No dead letters">
        <p>A delivery that failed in all its attempts appears here. Then it can be retried or discarded.</p>
      </Empty>
    )
  }
  return <Empty title={`Nothing is in the state “${INBOX_STATES[state as InboxState] ?? state}”`} />
}

interface ManyProps {
  readonly query: Route['query']
  readonly counts: InboxCounts | undefined
  readonly marked: ReadonlySet<string>
  readonly jobs: Jobs
  readonly onDone: () => void
}

/** Retry or discard: those that are selected, else those that match the filter, else all. */
function ManyActions({ query: { topic, code, search }, counts, marked, jobs, onDone }: ManyProps) {
  const [asks, setAsks] = useState<'retry' | 'discard'>()
  const dead = counts?.dead ?? 0
  if (dead === 0) return null
  const isFiltered = Boolean(topic || code)
  const inTopic = topic ? (counts?.byTopic[topic]?.dead ?? 0) : dead
  const number = code ? undefined : inTopic
  const choice: DeadLetterChoice =
    marked.size > 0
      ? { ids: [...marked] }
      : isFiltered
        ? { filter: { ...(topic && { topic }), ...(code && { code }) } }
        : { all: true }
  const named = number === undefined ? 'all that match' : number === 1 ? 'the only one' : `all ${formatCount(number)}`
  const what =
    marked.size > 0
      ? `${formatCount(marked.size)} selected`
      : isFiltered && number !== undefined
        ? `${named} of this topic`
        : named
  const cannot = marked.size === 0 && Boolean(search)
  const start = (kind: 'retry' | 'discard') => {
    void jobs.start(kind, choice)
    onDone()
  }
  const act = (kind: 'retry' | 'discard') => (marked.size > 0 && kind === 'retry' ? start(kind) : setAsks(kind))
  return (
    <p class="actions">
      <button type="button" disabled={cannot} onClick={() => act('retry')}>
        Retry {what}
      </button>
      <button type="button" class="danger" disabled={cannot} onClick={() => act('discard')}>
        Discard {what}
      </button>
      {cannot && <span class="quiet">Select those that are meant: of a search, all cannot be taken at once.</span>}
      {!cannot && marked.size === 0 && <span class="quiet wide">Select single ones with the box or the key x.</span>}
      {asks && (
        <Dialog
          title={`${asks === 'retry' ? 'Retry' : 'Discard'} ${what}?`}
          onClose={() => setAsks(undefined)}
          confirm={{
            label: asks === 'retry' ? 'Retry' : 'Discard',
            isDangerous: asks === 'discard',
            act: () => start(asks),
          }}
        >
          {asks === 'retry' ? (
            <p>A worker runs their handlers again, with all attempts.</p>
          ) : (
            <p>They are deleted after ten seconds. Until then this can be undone.</p>
          )}
        </Dialog>
      )}
    </p>
  )
}
