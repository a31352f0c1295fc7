import { useRef } from 'preact/hooks'
import type { DeliveryFilter, DeliveryItem, Setup } from '../../api.ts'
import { formatBytes, formatMs, formatNumberOf } from '../format.ts'
import type { Live } from '../live.ts'
import { Empty, ProblemNotice } from '../parts/notice.tsx'
import { OutcomeMark, ResourceName } from '../parts/outcome.tsx'
import { Rows, type RowsControl } from '../parts/rows.tsx'
import { Plain, Time } from '../parts/text.tsx'
import { go, type Route, toHash } from '../route.ts'
import { DeliveryPanel } from './delivery-panel.tsx'
import { Filters } from './filters.tsx'
import { MOST_ROWS } from './list.ts'
import { useDeliveryList } from './use-list.ts'

interface PageProps {
  readonly route: Route
  readonly setup: Setup
  readonly live: Live
}

const COLUMNS = ['Time', 'Outcome', 'Topic', 'Resource', 'Status', 'Size', 'Took']

export function DeliveriesPage({ route, setup, live }: PageProps) {
  const { id, query } = route
  const control = useRef<RowsControl | undefined>(undefined)
  const isReading = () => id !== undefined || (control.current?.isReading() ?? false)
  const { list, state } = useDeliveryList(toFilter(query), live, isReading)
  const open = (item: DeliveryItem | undefined) => go({ page: 'deliveries', id: item?.id, query })
  const isFiltered = Object.values(query).some(Boolean)
  const showNew = () => {
    control.current?.toTop()
    list.showHeld()
  }
  return (
    <div class={id ? 'split is-open' : 'split'}>
      <section class="list" aria-labelledby="page-title">
        <h1 id="page-title" class="unseen">
          Deliveries
        </h1>
        <Filters
          query={query}
          setup={setup}
          onChange={(next) => go({ page: 'deliveries', id, query: next }, { replace: true })}
        />
        {state.problem && <ProblemNotice text={state.problem} onRetry={() => void list.reload()} />}
        <div class="rows-frame">
          <Rows
            label="Deliveries, the newest first"
            kind="deliveries"
            columns={COLUMNS}
            items={state.rows}
            keyOf={({ id: key }) => key}
            renderCells={(item) => renderCells(item, query)}
            openKey={id}
            onOpen={open}
            onEnd={() => void list.loadOlder()}
            control={control}
          />
          {state.rows.length === 0 && !state.isLoading && !state.problem && (
            <NoDeliveries setup={setup} isFiltered={isFiltered} />
          )}
          <NewButton held={state.held} hasGap={state.hasGap && !query.search} onShow={showNew} />
        </div>
        <p class="foot" role="status">
          {state.isLoading && state.rows.length === 0 && 'Loading…'}
          {state.rows.length > 0 && formatNumberOf(state.rows.length, 'delivery', 'deliveries')}
          {state.rows.length > 0 && state.hasMore && ' shown. Scroll down for older ones.'}
          {state.rows.length >= MOST_ROWS && ' Search or filter to see those before.'}
        </p>
      </section>
      {id && <DeliveryPanel id={id} setup={setup} query={query} onClose={() => open(undefined)} />}
    </div>
  )
}

interface NewButtonProps {
  readonly held: number
  readonly hasGap: boolean
  readonly onShow: () => void
}

function NewButton({ held, hasGap, onShow }: NewButtonProps) {
  if (held === 0 && !hasGap) return null
  return (
    <button type="button" class="new" onClick={onShow}>
      {hasGap ? 'Show newer deliveries' : formatNumberOf(held, 'new', 'new')}
    </button>
  )
}

function renderCells(item: DeliveryItem, query: Route['query']) {
  const { receivedAt, outcome, code, topic, resource, status, bodyBytes, durationMs, attempt, attempts, source } = item
  return [
    <Time key="time" at={receivedAt} />,
    <OutcomeMark key="outcome" outcome={outcome} {...(code && { code })} />,
    <a
      key="topic"
      tabIndex={-1}
      href={toHash({ page: 'deliveries', id: item.id, query })}
      onClick={(event) => {
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey)
          event.preventDefault() // The row opens it.
        else event.stopPropagation()
      }}
    >
      {topic === undefined ? <span class="quiet">no topic</span> : <Plain text={topic} />}
    </a>,
    <>
      {resource && <ResourceName resource={resource} />}
      {attempt !== undefined && attempt > 1 && (
        <small>
          attempt {attempt}
          {attempts !== undefined && ` of ${attempts}`}
        </small>
      )}
      {source !== 'request' && <small>{source}</small>}
    </>,
    status ?? '–',
    bodyBytes === undefined ? '–' : formatBytes(bodyBytes),
    formatMs(durationMs),
  ]
}

function NoDeliveries({ setup, isFiltered }: { readonly setup: Setup; readonly isFiltered: boolean }) {
  if (!setup.hasRecorder) {
    return (
      <Empty title="Nothing is recorded" code={RECORDER_CODE}>
        <p>Give the receiver and the dashboard a recorder:</p>
      </Empty>
    )
  }
  if (isFiltered) {
    return (
      <Empty title="No delivery matches">
        <p>A search takes a whole order number, id or email address.</p>
        <p>
          <a href="#/deliveries">Show all deliveries</a>
        </p>
      </Empty>
    )
  }
  if (setup.isDevelopment) {
    return (
      <Empty title="No delivery yet" code="npx hooklayer trigger orders.place">
        <p>
          <a href="#/trigger">Trigger a delivery</a> here, or in a terminal:
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="No delivery yet" code="createReceiver({ secrets, recorder })">
      <p>Deliveries appear here as they come in. The receiver needs the same recorder as the dashboard:</p>
    </Empty>
  )
}

const RECORDER_CODE = `import { createRecorder } from 'hooklayer/recorder'

const recorder = createRecorder()
createReceiver({ secrets, recorder })
createDashboard({ recorder, authorize })`

/** The filter that the address has. */
function toFilter({ search, topic, outcome, code, since, until }: Route['query']): DeliveryFilter {
  return {
    ...(search && { search }),
    ...(topic && { topic }),
    ...(outcome && { outcome }),
    ...(code && { code }),
    ...(since && { since }),
    ...(until && { until }),
  }
}
