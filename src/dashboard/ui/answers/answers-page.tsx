import { useRef, useState } from 'preact/hooks'
import type { AnswerItem, Setup } from '../../api.ts'
import { formatMs, formatNumberOf } from '../format.ts'
import type { Live } from '../live.ts'
import { AnswerMark, AnswerWords } from '../parts/answer.tsx'
import { Empty, ProblemNotice } from '../parts/notice.tsx'
import { ResourceName } from '../parts/outcome.tsx'
import { Rows, type RowsControl } from '../parts/rows.tsx'
import { Plain, Time } from '../parts/text.tsx'
import { go, type Route, toHash } from '../route.ts'
import { useChange } from '../use-change.ts'
import { AnswerPanel } from './answer-panel.tsx'
import { useAnswers } from './use-answers.ts'

interface PageProps {
  readonly route: Route
  readonly setup: Setup
  readonly live: Live
}

const COLUMNS = ['Time', 'Kind', 'Asked', 'Resource', 'Status', 'Took', 'Outcome', 'Answer']

export function AnswersPage(props: PageProps) {
  if (props.setup.isDevelopment) return <Answers {...props} />
  return (
    <Empty title="A shop is asked while developing" code={ASK_CODE}>
      <p>This dashboard has no emulator. The local Commerce Layer has one, which asks for external resources:</p>
    </Empty>
  )
}

const ASK_CODE = 'npx hooklayer dev --ask tax=/taxes'

function Answers({ route: { id }, setup, live }: PageProps) {
  const control = useRef<RowsControl | undefined>(undefined)
  const isReading = () => id !== undefined || (control.current?.isReading() ?? false)
  const { page, problem, isLoading, hasNew, reload } = useAnswers(live, isReading)
  const items = page?.items ?? []
  const open = (item: AnswerItem | undefined) => go({ page: 'answers', id: item?.id })
  const onAnswered = (item: AnswerItem) => {
    reload()
    open(item)
  }
  return (
    <div class={id ? 'split is-open' : 'split'}>
      <section class="list" aria-labelledby="page-title">
        <h1 id="page-title" class="unseen">
          Answers
        </h1>
        {setup.kinds.length > 0 && <AskBar kinds={setup.kinds} onAnswered={onAnswered} />}
        {problem && <ProblemNotice text={problem} onRetry={reload} />}
        <div class="rows-frame">
          <Rows
            label="Answers, the newest first"
            kind="answers"
            columns={COLUMNS}
            items={items}
            keyOf={({ id: key }) => key}
            renderCells={renderCells}
            openKey={id}
            onOpen={open}
            onEnd={() => {}}
            control={control}
          />
          {page && items.length === 0 && <NoAnswers setup={setup} />}
          {hasNew && (
            <button
              type="button"
              class="new"
              onClick={() => {
                control.current?.toTop()
                reload()
              }}
            >
              Show newer answers
            </button>
          )}
        </div>
        <p class="foot" role="status">
          {isLoading && !page && 'Loading…'}
          {items.length > 0 && formatNumberOf(items.length, 'answer')}
          {page?.hasMore && ' shown, the last ones.'}
        </p>
      </section>
      {id && <AnswerPanel id={id} onAnswered={onAnswered} onClose={() => open(undefined)} />}
    </div>
  )
}

interface AskProps {
  readonly kinds: readonly string[]
  readonly onAnswered: (item: AnswerItem) => void
}

/** Asks with the sample of a kind, or leads to where it is edited first. */
function AskBar({ kinds, onAnswered }: AskProps) {
  const [chosen, setChosen] = useState(kinds[0] ?? '')
  const { isBusy, problem, send } = useChange<AnswerItem>()
  return (
    <>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault()
          void send('api/answers', { kind: chosen }, onAnswered)
        }}
      >
        {kinds.length > 1 && (
          <select aria-label="Kind" value={chosen} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
            {kinds.map((kind) => (
              <option key={kind} value={kind}>
                {kind}
              </option>
            ))}
          </select>
        )}
        <button type="submit" class="primary" disabled={isBusy}>
          Ask for {chosen}
        </button>
        <a href={toHash({ page: 'trigger', id: chosen })}>Edit what is sent</a>
        <span role="status">{isBusy && 'Asking…'}</span>
      </form>
      {problem && <ProblemNotice text={problem} />}
    </>
  )
}

function renderCells(item: AnswerItem) {
  const { askedAt, kind, url, resource, status, durationMs, outcome } = item
  return [
    <Time key="time" at={askedAt} />,
    kind,
    <Plain key="url" text={url} />,
    <ResourceName key="resource" resource={resource} />,
    status ?? '–',
    formatMs(durationMs),
    <AnswerMark key="outcome" outcome={outcome} />,
    <AnswerWords key="words" answer={item} />,
  ]
}

function NoAnswers({ setup: { kinds } }: { readonly setup: Setup }) {
  if (kinds.length === 0) {
    return (
      <Empty title="Nothing can be asked for" code={ASK_CODE}>
        <p>
          Commerce Layer asks a shop for prices, order validations, shipping costs, promotions and taxes. Name the URL
          of your responder:
        </p>
      </Empty>
    )
  }
  return (
    <Empty title="No answer yet">
      <p>
        Ask here, or press <kbd>a</kbd> where <code>hooklayer dev</code> runs.
      </p>
    </Empty>
  )
}
