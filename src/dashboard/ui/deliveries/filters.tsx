import { useEffect, useRef, useState } from 'preact/hooks'
import type { Outcome, Setup } from '../../api.ts'
import { Time } from '../parts/text.tsx'
import type { Route } from '../route.ts'
import { OUTCOMES } from '../words.ts'

interface FiltersProps {
  readonly query: Route['query']
  readonly setup: Setup
  readonly onChange: (query: Record<string, string>) => void
}

const SPANS = [
  ['15', 'Last 15 minutes'],
  ['60', 'Last hour'],
  ['1440', 'Last day'],
  ['10080', 'Last week'],
] as const

export function Filters({ query, setup, onChange }: FiltersProps) {
  const set = (change: Record<string, string>) => onChange({ ...query, ...change })
  const chosen = new Set((query.outcome ?? '').split(',').filter(Boolean))
  const toggle = (outcome: string) => {
    const next = chosen.has(outcome) ? [...chosen].filter((one) => one !== outcome) : [...chosen, outcome]
    set({ outcome: next.join(',') })
  }
  const { code, since, until } = query
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <SearchField
        value={query.search ?? ''}
        label="Order number, id or email"
        onChange={(search) => set({ search })}
      />
      <TopicChoice value={query.topic ?? ''} setup={setup} onChange={(topic) => set({ topic })} />
      <select
        aria-label="Time"
        value={since ? 'since' : ''}
        onChange={({ currentTarget }) => set({ since: toSince(currentTarget.value), until: '' })}
      >
        <option value="">Any time</option>
        {since && <option value="since">Since …</option>}
        {SPANS.map(([minutes, label]) => (
          <option key={minutes} value={minutes}>
            {label}
          </option>
        ))}
      </select>
      <fieldset class="chips">
        <legend class="unseen">Outcome</legend>
        {(Object.keys(OUTCOMES) as Outcome[]).map((outcome) => (
          <label key={outcome} class={`chip mark ${outcome}`}>
            <input type="checkbox" checked={chosen.has(outcome)} onChange={() => toggle(outcome)} />
            {OUTCOMES[outcome]}
          </label>
        ))}
      </fieldset>
      {code && (
        <button type="button" class="chip" onClick={() => set({ code: '' })} aria-label={`Any code, not only ${code}`}>
          {code} ×
        </button>
      )}
      {since && (
        <button type="button" class="chip" onClick={() => set({ since: '', until: '' })} aria-label="Any time">
          since <Time at={since} />
          {until && (
            <>
              {' until '}
              <Time at={until} />
            </>
          )}{' '}
          ×
        </button>
      )}
    </form>
  )
}

function toSince(minutes: string): string {
  return minutes ? new Date(Date.now() - Number(minutes) * 60_000).toISOString() : ''
}

interface SearchProps {
  readonly value: string
  readonly label: string
  readonly onChange: (value: string) => void
}

const PAUSE_MS = 80

/** Searches when the typing pauses. The key `/` goes to it. */
export function SearchField({ value, label, onChange }: SearchProps) {
  const [text, setText] = useState(value)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const searched = useRef(value)
  // The address may change by itself, such as by the back button. What is being typed stays.
  useEffect(() => {
    if (value === searched.current || timer.current !== undefined) return
    searched.current = value
    setText(value)
  }, [value])
  const search = (next: string, pause: number) => {
    setText(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      timer.current = undefined
      searched.current = next.trim()
      onChange(searched.current)
    }, pause)
  }
  return (
    <input
      type="search"
      id="search"
      placeholder={`${label}   /`}
      aria-label={`Search: ${label}`}
      autocomplete="off"
      spellcheck={false}
      maxLength={200}
      value={text}
      onInput={({ currentTarget }) => search(currentTarget.value, PAUSE_MS)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') search(text, 0)
        if (event.key === 'Escape') event.currentTarget.blur()
      }}
    />
  )
}

interface TopicProps {
  readonly value: string
  readonly setup: Setup
  readonly label?: string
  /** Kinds of external resources, which come after the topics that are known. */
  readonly kinds?: readonly string[]
  readonly anyLabel?: string
  readonly onChange: (topic: string) => void
}

/** The topics, those with a handler or a webhook first. */
export function TopicChoice({
  value,
  setup,
  label = 'Topic',
  kinds = [],
  anyLabel = 'Any topic',
  onChange,
}: TopicProps) {
  const known = new Set(setup.knownTopics)
  const others = setup.topics.filter((topic) => !known.has(topic))
  const isOther = value !== '' && ![...known, ...kinds, ...others].includes(value)
  const toOption = (topic: string) => (
    <option key={topic} value={topic}>
      {topic}
    </option>
  )
  return (
    <select aria-label={label} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">{anyLabel}</option>
      {isOther && toOption(value)}
      {known.size > 0 && <optgroup label="With a handler or a webhook">{[...known].map(toOption)}</optgroup>}
      {kinds.length > 0 && <optgroup label="Asked for">{kinds.map(toOption)}</optgroup>}
      <optgroup label="All topics">{others.map(toOption)}</optgroup>
    </select>
  )
}
