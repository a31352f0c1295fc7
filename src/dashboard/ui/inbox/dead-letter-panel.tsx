import type { DeadLetterDetails } from '../../api.ts'
import { get } from '../api-client.ts'
import { formatBytes } from '../format.ts'
import type { Jobs } from '../jobs.tsx'
import { DocumentTree } from '../parts/document-tree.tsx'
import { Failure } from '../parts/failure.tsx'
import { ProblemNotice } from '../parts/notice.tsx'
import { ResourceName } from '../parts/outcome.tsx'
import { Panel } from '../parts/panel.tsx'
import { LongText, Plain, Sentence, Time } from '../parts/text.tsx'
import { toHash } from '../route.ts'
import { useLoaded } from '../use-loaded.ts'
import { adviseOn } from '../words.ts'

interface PanelProps {
  readonly id: string
  readonly jobs: Jobs
  readonly onClose: () => void
}

export function DeadLetterPanel({ id, jobs, onClose }: PanelProps) {
  const { value, problem, isLoading, reload } = useLoaded(id, (signal) => {
    return get<DeadLetterDetails>(`api/inbox/dead/${encodeURIComponent(id)}`, {}, signal)
  })
  const act = (kind: 'retry' | 'discard') => {
    void jobs.start(kind, { ids: [id] })
    onClose()
  }
  return (
    <Panel label="Dead letter" onClose={onClose} isBusy={isLoading}>
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {value && <Details key={value.id} letter={value} act={act} />}
    </Panel>
  )
}

interface DetailsProps {
  readonly letter: DeadLetterDetails
  readonly act: (kind: 'retry' | 'discard') => void
}

function Details({ letter, act }: DetailsProps) {
  const { topic, receivedAt, failedAt, attempts, maxAttempts, resource, bodyBytes, isMasked, document } = letter
  return (
    <>
      <header>
        <h2>
          <Plain text={topic} />
        </h2>
        <p class="facts">
          <span class="mark dead">Dead</span>
          <span>
            {attempts}
            {maxAttempts !== undefined && ` of ${maxAttempts}`} attempts
          </span>
          <span>
            received <Time at={receivedAt} isWhole />
          </span>
          {failedAt && (
            <span>
              given up <Time at={failedAt} isWhole />
            </span>
          )}
          <span>{formatBytes(bodyBytes)}</span>
        </p>
        {resource && (
          <p class="facts">
            <ResourceName resource={resource} hasType />
            <a href={toHash({ page: 'deliveries', query: { search: resource.number ?? resource.id } })}>
              Its deliveries
            </a>
          </p>
        )}
        <p class="actions">
          <button type="button" class="primary" onClick={() => act('retry')}>
            Retry
          </button>
          <button type="button" class="danger" onClick={() => act('discard')}>
            Discard
          </button>
        </p>
      </header>
      {letter.error && <Cause error={letter.error} />}
      <section>
        <h3>Document</h3>
        {isMasked && <p class="quiet">Personal data is masked.</p>}
        {typeof document === 'object' && document !== null ? (
          <DocumentTree document={document} />
        ) : (
          <p class="quiet">The document cannot be read.</p>
        )}
      </section>
    </>
  )
}

function Cause({ error }: { readonly error: NonNullable<DeadLetterDetails['error']> }) {
  const advice = adviseOn(error.code)
  return (
    <section class="notice reason">
      <h3>Why it failed</h3>
      <Failure error={error} />
      {error.handler && (
        <p>
          Handler: <Plain text={error.handler} />
        </p>
      )}
      {error.cause && (
        <pre>
          <LongText text={error.cause} />
        </pre>
      )}
      {advice && (
        <p>
          <Sentence text={advice.replace(/ The delivery is sent again\.$/, ' Then retry it here.')} />
        </p>
      )}
    </section>
  )
}
