import { useState } from 'preact/hooks'
import type { AnswerItem, AskRequest, FaultName, Sample, SentCalls, Setup, TriggerRequest } from '../api.ts'
import { get } from './api-client.ts'
import { TopicChoice } from './deliveries/filters.tsx'
import { AnswerResult } from './parts/answer.tsx'
import { Empty, ProblemNotice } from './parts/notice.tsx'
import { SentResult } from './parts/sent-result.tsx'
import { go, type Route } from './route.ts'
import { SampleEditor } from './sample-editor.tsx'
import { useChange } from './use-change.ts'
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
          kinds={setup.kinds}
          anyLabel="Choose a topic"
          onChange={(next) => go({ page: 'trigger', id: next || undefined })}
        />
      </header>
      <Trigger key={topic} topic={topic} isKind={setup.kinds.includes(topic)} />
    </div>
  )
}

function Trigger({ topic, isKind }: { readonly topic: string; readonly isKind: boolean }) {
  const { value, problem, isLoading, reload } = useLoaded(topic, (signal) => {
    return get<Sample>(`api/trigger/${encodeURIComponent(topic)}`, {}, signal)
  })
  if (problem) return <ProblemNotice text={problem} onRetry={reload} />
  if (!value) return <p role="status">{isLoading && 'Loading…'}</p>
  return isKind ? <AskEditor sample={value} /> : <TriggerEditor sample={value} />
}

function TriggerEditor({ sample }: { readonly sample: Sample }) {
  const { topic } = sample
  const { value: sent, problem, isBusy, send } = useChange<SentCalls>()
  const [times, setTimes] = useState('1')
  const [fault, setFault] = useState<FaultName | ''>('')
  const count = Number(times)
  const isCountRight = Number.isInteger(count) && count >= 1 && count <= 100
  return (
    <SampleEditor
      sample={sample}
      label={`Send ${topic}`}
      canSend={isCountRight && !isBusy}
      onSend={(changes) => {
        void send('api/trigger', { topic, times: count, ...changes, ...(fault && { fault }) } satisfies TriggerRequest)
      }}
      result={
        <>
          <div role="status">
            {isBusy && 'Sending…'}
            {sent && <SentResult sent={sent} />}
          </div>
          {problem && <ProblemNotice text={problem} />}
        </>
      }
    >
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
    </SampleEditor>
  )
}

function AskEditor({ sample }: { readonly sample: Sample }) {
  const { topic: kind } = sample
  const { value: answer, problem, isBusy, send } = useChange<AnswerItem>()
  return (
    <SampleEditor
      sample={sample}
      label={`Ask for ${kind}`}
      canSend={!isBusy}
      onSend={(changes) => void send('api/answers', { kind, ...changes } satisfies AskRequest)}
      result={
        <>
          <div role="status">
            {isBusy && 'Asking…'}
            {answer && <AnswerResult answer={answer} />}
          </div>
          {problem && <ProblemNotice text={problem} />}
        </>
      }
    />
  )
}
