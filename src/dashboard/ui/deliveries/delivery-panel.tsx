import { useState } from 'preact/hooks'
import type { DeliveryDetails, Redelivered, SentCalls, Setup } from '../../api.ts'
import { change, get, getText, toSentence, toUrl } from '../api-client.ts'
import { formatBytes, formatMs, formatNumberOf } from '../format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { DocumentTree } from '../parts/document-tree.tsx'
import { Failure } from '../parts/failure.tsx'
import { ProblemNotice } from '../parts/notice.tsx'
import { OutcomeMark, ResourceName } from '../parts/outcome.tsx'
import { Panel } from '../parts/panel.tsx'
import { SentResult } from '../parts/sent-result.tsx'
import { LongText, Plain, Sentence, Time } from '../parts/text.tsx'
import { type Route, toHash } from '../route.ts'
import { useLoaded } from '../use-loaded.ts'
import { adviseOn, nameStage, OUTCOMES, SOURCES } from '../words.ts'
import { findDifference } from './find-difference.ts'

interface PanelProps {
  readonly id: string
  readonly setup: Setup
  readonly query: Route['query']
  readonly onClose: () => void
}

export function DeliveryPanel({ id, setup, query, onClose }: PanelProps) {
  const { value, problem, isLoading, reload } = useLoaded(id, (signal) => {
    return get<DeliveryDetails>(`api/deliveries/${encodeURIComponent(id)}`, {}, signal)
  })
  return (
    <Panel label="Delivery" onClose={onClose} isBusy={isLoading}>
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {value && <Details key={value.id} delivery={value} setup={setup} query={query} />}
    </Panel>
  )
}

interface DetailsProps {
  readonly delivery: DeliveryDetails
  readonly setup: Setup
  readonly query: Route['query']
}

function Details({ delivery, query }: DetailsProps) {
  const { topic, outcome, code, status, receivedAt, durationMs, bodyBytes, resource, consecutiveFailures } = delivery
  return (
    <>
      <header>
        <h2>{topic === undefined ? 'Delivery without a topic' : <Plain text={topic} />}</h2>
        <p class="facts">
          <OutcomeMark outcome={outcome} {...(code && { code })} />
          {status !== undefined && <span>answered {status}</span>}
          <span>
            <Time at={receivedAt} isWhole />
          </span>
          <span>took {formatMs(durationMs)}</span>
          {bodyBytes !== undefined && <span>{formatBytes(bodyBytes)}</span>}
          {delivery.source !== 'request' && <span>{SOURCES[delivery.source]}</span>}
        </p>
        {resource && (
          <p class="facts">
            <ResourceName resource={resource} hasType />
            <a href={toHash({ page: 'deliveries', query: { search: resource.number ?? resource.id } })}>
              All of this {resource.number === undefined ? 'resource' : 'order'}
            </a>
          </p>
        )}
        <Resend delivery={delivery} />
      </header>
      {delivery.error && <Reason delivery={delivery} error={delivery.error} />}
      {delivery.difference && <Difference {...delivery.difference} />}
      {consecutiveFailures > 1 && (
        <p class="notice warning">
          {formatNumberOf(consecutiveFailures, 'delivery', 'deliveries')} of this topic failed in a row. After 30 the
          circuit opens, and nothing is sent any more.
        </p>
      )}
      <Stages delivery={delivery} />
      <Handlers handlers={delivery.handlers} />
      <Body delivery={delivery} />
      <OtherAttempts attempts={delivery.otherAttempts} query={query} />
      <Headers delivery={delivery} />
    </>
  )
}

function Reason({
  delivery,
  error,
}: {
  readonly delivery: DeliveryDetails
  readonly error: NonNullable<DeliveryDetails['error']>
}) {
  // The hint of a mismatch says the cause only. Other hints say what to do.
  const advice = error.hint && error.code !== 'SIGNATURE_MISMATCH' ? undefined : adviseOn(error.code)
  return (
    <section class="notice reason">
      <h3>Why it {delivery.outcome === 'refused' ? 'was refused' : 'failed'}</h3>
      <Failure error={error} />
      {error.hint && (
        <p>
          <Sentence text={error.hint} />
        </p>
      )}
      {advice && (
        <p>
          <Sentence text={advice} />
        </p>
      )}
      {error.cause && (
        <pre>
          <LongText text={error.cause} />
        </pre>
      )}
    </section>
  )
}

/** The excerpts begin alike. What differs is marked, up to where they go on alike. */
function Difference({ offset, received, signed }: NonNullable<DeliveryDetails['difference']>) {
  const { start, inReceived, inSigned } = findDifference(received, signed)
  const show = (text: string, length: number) => (
    <pre>
      <LongText text={text.slice(0, start)} />
      <mark>
        {length > 0 ? <LongText text={text.slice(start, start + length)} /> : <span class="unseen">(nothing)</span>}
      </mark>
      <LongText text={text.slice(start + length)} />
    </pre>
  )
  return (
    <section>
      <h3>Where the bytes differ</h3>
      <p>From byte {offset} on, what was received is not what was signed.</p>
      <div class="sides">
        <figure>
          <figcaption>Received</figcaption>
          {show(received, inReceived)}
        </figure>
        <figure>
          <figcaption>Signed</figcaption>
          {show(signed, inSigned)}
        </figure>
      </div>
    </section>
  )
}

function Stages({ delivery }: { readonly delivery: DeliveryDetails }) {
  const { stages, error, outcome } = delivery
  if (stages.length === 0) return null
  const longest = Math.max(...stages.map(({ durationMs }) => durationMs), 0.001)
  return (
    <section>
      <h3>What was decided</h3>
      <table class="stages">
        <thead class="unseen">
          <tr>
            <th>Stage</th>
            <th>Decision</th>
            <th colSpan={2}>Time</th>
          </tr>
        </thead>
        <tbody>
          {stages.map(({ name, durationMs }, i) => {
            const isLast = i === stages.length - 1
            const decision = isLast ? (error ? error.code : OUTCOMES[outcome]) : 'passed'
            return (
              <tr key={name}>
                <th scope="row">{nameStage(name)}</th>
                <td class={isLast ? `mark ${outcome}` : 'quiet'}>{decision}</td>
                <td class="bar">
                  <span style={{ width: `${Math.max(1, (durationMs / longest) * 100)}%` }} />
                </td>
                <td class="number">{formatMs(durationMs)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function Handlers({ handlers }: { readonly handlers: DeliveryDetails['handlers'] }) {
  if (handlers.length === 0) return null
  return (
    <section>
      <h3>Handlers</h3>
      <table>
        <thead class="unseen">
          <tr>
            <th>Name</th>
            <th>Outcome</th>
            <th>Time</th>
          </tr>
        </thead>
        <tbody>
          {handlers.map(({ name, outcome, durationMs, error }, i) => (
            <tr key={i}>
              <th scope="row">
                <Plain text={name} />
              </th>
              <td>
                <span class={`mark ${outcome}`}>{outcome === 'running' ? 'Still running' : OUTCOMES[outcome]}</span>
                {error && (
                  <p>
                    <LongText text={error} />
                  </p>
                )}
              </td>
              <td class="number">{formatMs(durationMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Body({ delivery: { id, hasBody, isMasked, bodyBytes } }: { readonly delivery: DeliveryDetails }) {
  const path = `api/deliveries/${encodeURIComponent(id)}/body`
  const { value, problem, reload } = useLoaded(hasBody ? id : '', (signal) => {
    return hasBody ? getText(path, signal).then(parse) : Promise.resolve(undefined)
  })
  return (
    <section>
      <h3>Document</h3>
      {!hasBody && <p class="quiet">{bodyBytes ? 'The body is not kept any more.' : 'No body was read.'}</p>}
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {hasBody && (
        <p class="facts">
          {isMasked && <span>Personal data is masked.</span>}
          <a href={toUrl(path)} download={`delivery-${id.replace(/\W/g, '')}.json`}>
            Download
          </a>
        </p>
      )}
      {value &&
        (typeof value.document === 'object' && value.document !== null ? (
          <DocumentTree document={value.document} />
        ) : (
          <pre>
            <LongText text={value.text} short={4000} />
          </pre>
        ))}
    </section>
  )
}

function parse(text: string): { readonly text: string; readonly document: unknown } {
  try {
    return { text, document: JSON.parse(text) as unknown }
  } catch {
    return { text, document: undefined }
  }
}

function OtherAttempts({
  attempts,
  query,
}: {
  readonly attempts: DeliveryDetails['otherAttempts']
  readonly query: Route['query']
}) {
  if (attempts.length === 0) return null
  return (
    <section>
      <h3>Other attempts of this delivery</h3>
      <ul class="plain">
        {attempts.map((item) => (
          <li key={item.id}>
            <a href={toHash({ page: 'deliveries', id: item.id, query })}>
              <Time at={item.receivedAt} isWhole />
            </a>{' '}
            <OutcomeMark outcome={item.outcome} {...(item.code && { code: item.code })} /> {SOURCES[item.source]}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Headers({ delivery }: { readonly delivery: DeliveryDetails }) {
  const { headers, method, deliveryId, eventId, organizationId, mode } = delivery
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Delivery id', deliveryId],
    ['Event id', eventId],
    ['Organization', organizationId],
    ['Mode', mode],
    ['Method', method],
    ...headers,
  ]
  return (
    <section>
      <h3>Request</h3>
      <table class="headers">
        <tbody>
          {facts.flatMap(([name, value], i) =>
            value === undefined
              ? []
              : [
                  <tr key={i}>
                    <th scope="row">
                      <Plain text={name} />
                    </th>
                    <td>
                      <LongText text={value} short={300} />
                    </td>
                  </tr>,
                ],
          )}
        </tbody>
      </table>
    </section>
  )
}

/** Send again in development, redeliver in production. Both ask first, because handlers have effects. */
function Resend({ delivery }: { readonly delivery: DeliveryDetails }) {
  const [asks, setAsks] = useState<'send-again' | 'redeliver'>()
  const [result, setResult] = useState<{
    sent?: SentCalls
    redelivered?: Redelivered
    problem?: string
    isBusy?: boolean
  }>({})
  const { id, canSendAgain, canRedeliver } = delivery
  if (!canSendAgain && !canRedeliver) return null
  const act = async (action: 'send-again' | 'redeliver') => {
    setResult({ isBusy: true })
    try {
      const answer = await change<SentCalls & Redelivered>('POST', `api/deliveries/${encodeURIComponent(id)}/${action}`)
      setResult(action === 'redeliver' ? { redelivered: answer } : { sent: answer })
    } catch (error) {
      setResult({ problem: toSentence(error) })
    }
  }
  return (
    <>
      <p class="actions">
        {canSendAgain && (
          <button type="button" disabled={result.isBusy ?? false} onClick={() => setAsks('send-again')}>
            Send again
          </button>
        )}
        {canRedeliver && (
          <button type="button" disabled={result.isBusy ?? false} onClick={() => setAsks('redeliver')}>
            Redeliver
          </button>
        )}
      </p>
      <div role="status">
        {result.isBusy && 'Sending…'}
        {result.sent && <SentResult sent={result.sent} />}
        {result.redelivered && <RedeliveredResult redelivered={result.redelivered} />}
      </div>
      {result.problem && <ProblemNotice text={result.problem} />}
      {asks === 'send-again' && (
        <Dialog
          title="Send this delivery again?"
          onClose={() => setAsks(undefined)}
          confirm={{ label: 'Send again', act: () => void act('send-again') }}
        >
          <p>The emulator signs the document anew and sends it to the receiver. Its handlers run.</p>
        </Dialog>
      )}
      {asks === 'redeliver' && (
        <Dialog
          title="Redeliver to the handlers?"
          onClose={() => setAsks(undefined)}
          confirm={{ label: 'Redeliver', act: () => void act('redeliver') }}
        >
          <p>The handlers run with this document, here and now. An event that was completed is a duplicate.</p>
        </Dialog>
      )}
    </>
  )
}

function RedeliveredResult({ redelivered: { outcome, error } }: { readonly redelivered: Redelivered }) {
  return (
    <p class={`notice ${error ? 'problem' : 'done'}`}>
      Redelivered: {OUTCOMES[outcome as keyof typeof OUTCOMES]?.toLowerCase() ?? outcome}.{' '}
      {error && (
        <>
          <Sentence text={error.message} /> {error.cause && <Plain text={error.cause} />}
        </>
      )}
    </p>
  )
}
