import type { AnswerDetails, AnswerItem, HolderItem } from '../../api.ts'
import { get } from '../api-client.ts'
import { formatMs } from '../format.ts'
import { HolderCircuits } from '../holders.tsx'
import { AnswerMark } from '../parts/answer.tsx'
import { DocumentTree } from '../parts/document-tree.tsx'
import { Failure } from '../parts/failure.tsx'
import { ProblemNotice } from '../parts/notice.tsx'
import { ResourceName } from '../parts/outcome.tsx'
import { Panel } from '../parts/panel.tsx'
import { LongText, Plain, Sentence, Time } from '../parts/text.tsx'
import { toHash } from '../route.ts'
import { useChange } from '../use-change.ts'
import { useLoaded } from '../use-loaded.ts'

interface PanelProps {
  readonly id: string
  readonly onAnswered: (item: AnswerItem) => void
  readonly onClose: () => void
}

export function AnswerPanel({ id, onAnswered, onClose }: PanelProps) {
  const { value, problem, isLoading, reload } = useLoaded(id, (signal) => {
    return get<AnswerDetails>(`api/answers/${encodeURIComponent(id)}`, {}, signal)
  })
  return (
    <Panel label="Answer" onClose={onClose} isBusy={isLoading}>
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {value && <Details key={value.id} answer={value} onAnswered={onAnswered} onReset={reload} />}
    </Panel>
  )
}

interface DetailsProps {
  readonly answer: AnswerDetails
  readonly onAnswered: (item: AnswerItem) => void
  readonly onReset: () => void
}

function Details({ answer, onAnswered, onReset }: DetailsProps) {
  const { id, kind, url, outcome, status, askedAt, durationMs, resource, isMasked, text, request } = answer
  const { isBusy, problem, send } = useChange<AnswerItem>()
  return (
    <>
      <header>
        <h2>{kind}</h2>
        <p class="facts">
          <AnswerMark outcome={outcome} />
          {status !== undefined && <span>answered {status}</span>}
          <span>
            <Time at={askedAt} isWhole />
          </span>
          <span>took {formatMs(durationMs)}</span>
          <ResourceName resource={resource} hasType />
        </p>
        <p class="url">
          <Plain text={url} />
        </p>
        <p class="actions">
          <button
            type="button"
            disabled={isBusy}
            onClick={() => void send(`api/answers/${encodeURIComponent(id)}/ask-again`, undefined, onAnswered)}
          >
            Ask again
          </button>
          <a href={toHash({ page: 'trigger', id: kind })}>Edit what is sent</a>
          <span role="status">{isBusy && 'Asking…'}</span>
        </p>
        {problem && <ProblemNotice text={problem} />}
      </header>
      <Reason answer={answer} />
      <section>
        <h3>Answer</h3>
        {isMasked && <p class="quiet">Personal data is masked.</p>}
        {text ? (
          <pre>
            <LongText text={text} short={4000} />
          </pre>
        ) : (
          <p class="quiet">{status === undefined ? 'There was none.' : 'It was empty.'}</p>
        )}
      </section>
      <Holder holder={answer.holder} onReset={onReset} />
      <section>
        <h3>Request</h3>
        {typeof request === 'object' && request !== null ? (
          <DocumentTree document={request} />
        ) : (
          <p class="quiet">The document cannot be shown.</p>
        )}
      </section>
    </>
  )
}

const TITLES: Readonly<Partial<Record<AnswerItem['outcome'], string>>> = {
  refused: 'Why it was refused',
  malformed: 'What is wrong',
  unanswered: 'Why it failed',
  skipped: 'Why it was not asked',
}

function Reason({ answer: { outcome, error, problem, fallback } }: { readonly answer: AnswerDetails }) {
  const title = TITLES[outcome]
  if (!title) return null
  return (
    <section class="notice reason">
      <h3>{title}</h3>
      {error && <Failure error={error} />}
      {problem && (
        <p>
          <strong>
            <Sentence text={problem} />
          </strong>
        </p>
      )}
      {outcome === 'skipped' && <p>The circuit is open. Reset it first.</p>}
      {fallback && (
        <p>
          Without an answer: <Sentence text={fallback} />
        </p>
      )}
    </section>
  )
}

function Holder({ holder, onReset }: { readonly holder: HolderItem; readonly onReset: () => void }) {
  return (
    <section>
      <h3>Circuit</h3>
      <HolderCircuits holder={holder} onReset={onReset} />
    </section>
  )
}
