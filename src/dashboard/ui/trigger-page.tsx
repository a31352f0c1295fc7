import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { FaultName, Sample, Sent, Setup, TriggerRequest } from '../api.ts'
import { change, get, toSentence } from './api-client.ts'
import { TopicChoice } from './deliveries/filters.tsx'
import { Empty, ProblemNotice } from './parts/notice.tsx'
import { SentResult } from './parts/sent-result.tsx'
import { go, type Route } from './route.ts'
import { SampleForm, type SampleResource } from './sample-form.tsx'
import { useLoaded } from './use-loaded.ts'

const FAULTS: readonly (readonly [FaultName, string])[] = [
  ['duplicate', 'Twice: the same delivery again'],
  ['reorder', 'Out of order: an older one after it'],
  ['wrong-signature', 'Wrong signature first'],
  ['other-topic', 'Document of another topic first'],
  ['slow', 'Slow: the body in pieces'],
  ['cut', 'Cut off before the end first'],
]

export function TriggerPage({ setup, route }: { readonly setup: Setup; readonly route: Route }) {
  if (!setup.isDevelopment) {
    return (
      <Empty title="Deliveries are triggered while developing" code="npx hooklayer dev">
        <p>This dashboard has no emulator. The local Commerce Layer has one:</p>
      </Empty>
    )
  }
  const topic = route.id ?? setup.knownTopics[0] ?? 'orders.place'
  return (
    <div class="page">
      <header class="page-head">
        <h1>Trigger</h1>
        <TopicChoice
          value={topic}
          setup={setup}
          anyLabel="Choose a topic"
          onChange={(next) => go({ page: 'trigger', id: next || undefined })}
        />
      </header>
      <Trigger key={topic} topic={topic} />
    </div>
  )
}

function Trigger({ topic }: { readonly topic: string }) {
  const { value, problem, isLoading, reload } = useLoaded(topic, (signal) => {
    return get<Sample>(`api/trigger/${encodeURIComponent(topic)}`, {}, signal)
  })
  if (problem) return <ProblemNotice text={problem} onRetry={reload} />
  if (!value) return <p role="status">{isLoading && 'Loading…'}</p>
  return <Editor sample={value} />
}

/** The sample as a form and as JSON: a change of one is a change of the other. */
function Editor({ sample }: { readonly sample: Sample }) {
  const original = useMemo(() => toText(sample.resource), [sample])
  const [text, setText] = useState(original)
  const parsed = useMemo(() => parse(text), [text])
  const lastValid = useRef<SampleResource>(sample.resource)
  if (parsed.resource) lastValid.current = parsed.resource
  const sending = useSending()
  const [times, setTimes] = useState('1')
  const [fault, setFault] = useState<FaultName | ''>('')
  const count = Number(times)
  const isCountRight = Number.isInteger(count) && count >= 1 && count <= 100
  const submit = (event: Event) => {
    event.preventDefault()
    if (!parsed.resource || !isCountRight) return
    const resource = listChanges(sample.resource, parsed.resource)
    void sending.send({ topic: sample.topic, times: count, ...(resource && { resource }), ...(fault && { fault }) })
  }
  return (
    <form class="trigger" onSubmit={submit}>
      <div class="send-bar">
        <label>
          Fault{' '}
          <select value={fault} onChange={({ currentTarget }) => setFault(currentTarget.value as FaultName | '')}>
            <option value="">None</option>
            {FAULTS.map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <label>
          Times{' '}
          <input
            type="number"
            min={1}
            max={100}
            required
            value={times}
            onInput={({ currentTarget }) => setTimes(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary" disabled={!parsed.resource || !isCountRight || sending.isBusy}>
          Send {sample.topic}
        </button>
        {text !== original && (
          <button type="button" onClick={() => setText(original)}>
            Undo changes
          </button>
        )}
      </div>
      <div role="status">
        {sending.isBusy && 'Sending…'}
        {sending.sent && <SentResult sent={sending.sent} />}
      </div>
      {sending.problem && <ProblemNotice text={sending.problem} />}
      <div class="editor">
        <SampleForm
          resource={lastValid.current}
          original={sample.resource}
          isDisabled={!parsed.resource}
          onChange={(resource) => setText(toText(resource))}
        />
        <div class="json">
          <label for="json">JSON</label>
          <textarea
            id="json"
            spellcheck={false}
            value={text}
            aria-invalid={!parsed.resource}
            aria-describedby="json-problem"
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <p id="json-problem" class="field-problem" role="status">
            {parsed.problem}
          </p>
        </div>
      </div>
    </form>
  )
}

function useSending() {
  const [state, setState] = useState<{ sent?: Sent; problem?: string; isBusy: boolean }>({ isBusy: false })
  const isGone = useRef(false)
  useEffect(() => {
    return () => {
      isGone.current = true
    }
  }, [])
  const send = async (request: TriggerRequest) => {
    setState({ isBusy: true })
    const next = await change<Sent>('POST', 'api/trigger', request).then(
      (sent) => ({ sent, isBusy: false }),
      (error: unknown) => ({ problem: toSentence(error), isBusy: false }),
    )
    if (!isGone.current) setState(next)
  }
  return { ...state, send }
}

function toText(resource: SampleResource): string {
  return JSON.stringify(resource, null, 2)
}

function parse(text: string): { readonly resource?: SampleResource; readonly problem?: string } {
  try {
    const resource: unknown = JSON.parse(text)
    if (typeof resource === 'object' && resource !== null && !Array.isArray(resource)) {
      return { resource: resource as SampleResource }
    }
    return { problem: 'A resource is an object: { "type": "orders", … }.' }
  } catch (error) {
    return { problem: `This is not JSON yet: ${error instanceof Error ? error.message : ''}` }
  }
}

/**
 * What is sent of an edited sample: nothing if it is as it was, the fields that have changed, or the whole of it if a
 * field was taken away or if it is another resource.
 */
function listChanges(original: SampleResource, edited: SampleResource): SampleResource | undefined {
  const isLess = Object.keys(original).some((key) => !(key in edited))
  if (isLess || edited.id !== original.id || edited.type !== original.type) return edited
  const changed = Object.entries(edited).filter(([key, value]) => {
    return JSON.stringify(value) !== JSON.stringify(original[key])
  })
  return changed.length > 0 ? Object.fromEntries(changed) : undefined
}
