import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Health, Outcome, Setup } from '../api.ts'
import { get } from './api-client.ts'
import { formatCount, formatMinute, formatMs, formatNumberOf } from './format.ts'
import { Empty, ProblemNotice } from './parts/notice.tsx'
import { Plain, Time } from './parts/text.tsx'
import { go, type Route, toHash } from './route.ts'
import { useLoaded } from './use-loaded.ts'
import { adviseOn, OUTCOMES } from './words.ts'

const SPANS = [
  ['15', '15 minutes'],
  ['60', '1 hour'],
  ['360', '6 hours'],
  ['1440', '1 day'],
] as const
const REFRESH_MS = 10_000
const WIDTH = 600
const HEIGHT = 120

type Span = Health['spans'][number]

export function HealthPage({ setup, route }: { readonly setup: Setup; readonly route: Route }) {
  const minutes = route.query.minutes ?? '60'
  const { value, problem, reload } = useLoaded(minutes, (signal) => get<Health>('api/health', { minutes }, signal))
  useEffect(() => {
    const timer = setInterval(reload, REFRESH_MS)
    return () => clearInterval(timer)
  }, [reload])
  if (!setup.hasRecorder) {
    return (
      <Empty title="Nothing is recorded" code="createReceiver({ secrets, recorder })">
        <p>Give the receiver and the dashboard the same recorder. Its records are counted here.</p>
      </Empty>
    )
  }
  return (
    <div class="page">
      <header class="page-head">
        <h1>Health</h1>
        <select
          aria-label="Time"
          value={minutes}
          onChange={({ currentTarget }) => go({ page: 'health', query: { minutes: currentTarget.value } })}
        >
          {SPANS.map(([value_, label]) => (
            <option key={value_} value={value_}>
              Last {label}
            </option>
          ))}
        </select>
      </header>
      {problem && <ProblemNotice text={problem} onRetry={reload} />}
      {value && <Charts health={value} />}
    </div>
  )
}

function Charts({ health }: { readonly health: Health }) {
  const { spans, missed, records, streaks, startedAt } = health
  const codes = sum(spans.map((span) => span.codes))
  return (
    <>
      {missed > 0 && (
        <p class="notice warning">
          {formatNumberOf(missed, 'attempt')} could not be recorded: the file could not be written, or not as fast as
          they came.
        </p>
      )}
      <Streaks streaks={streaks} />
      <div class="charts">
        <Deliveries health={health} />
        <Times spans={spans} />
        <section class="chart">
          <h2>Refusals and failures by cause</h2>
          {codes.length === 0 ? <p class="quiet">None.</p> : <Causes codes={codes} startedAt={startedAt} />}
        </section>
      </div>
      <p class="quiet">
        {formatNumberOf(records, 'record')} kept. Shown since <Time at={startedAt} isWhole />.
      </p>
    </>
  )
}

function Streaks({ streaks }: Pick<Health, 'streaks'>) {
  if (streaks.length === 0) return null
  return (
    <section>
      <h2>Failing in a row</h2>
      <ul class="plain">
        {streaks.map(({ topic, failures, failuresLeft }) => (
          <li key={topic}>
            <a href={toHash({ page: 'deliveries', query: { topic, outcome: 'failed,refused' } })}>
              <Plain text={topic} />
            </a>
            : {formatNumberOf(failures, 'failure')}, {formatCount(failuresLeft)} left until the circuit opens
          </li>
        ))}
      </ul>
    </section>
  )
}

function Deliveries({ health: { spans, spanMs } }: { readonly health: Health }) {
  const names = (Object.keys(OUTCOMES) as Outcome[]).filter((name) => spans.some(({ outcomes }) => outcomes[name]))
  const totals = spans.map(({ outcomes }) => Object.values(outcomes).reduce((all, one) => all + one, 0))
  const most = Math.max(1, ...totals)
  const width = WIDTH / Math.max(1, spans.length)
  const total = totals.reduce((all, one) => all + one, 0)
  const per = spanMs === 60_000 ? 'a minute' : `in ${formatMs(spanMs)}`
  return (
    <section class="chart">
      <h2>Deliveries {per}</h2>
      <p class="legend">
        {names.map((name) => (
          <span key={name} class={`mark ${name}`}>
            {OUTCOMES[name]} {formatCount(spans.reduce((all, { outcomes }) => all + (outcomes[name] ?? 0), 0))}
          </span>
        ))}
        {names.length === 0 && <span class="quiet">None in this time.</span>}
      </p>
      <Frame
        spans={spans}
        top={formatCount(most)}
        label={`${formatNumberOf(total, 'delivery', 'deliveries')}, at most ${most} ${per}`}
      >
        {names.map((name, i) => (
          <path
            key={name}
            class={`fill ${name}`}
            d={spans
              .map(({ outcomes }, at) => {
                const below = names.slice(0, i).reduce((all, one) => all + (outcomes[one] ?? 0), 0)
                const height = ((outcomes[name] ?? 0) / most) * HEIGHT
                return height === 0 ? '' : drawBar(at * width, HEIGHT - (below / most) * HEIGHT, width * 0.8, height)
              })
              .join('')}
          />
        ))}
      </Frame>
      <Table
        caption={`Deliveries ${per}`}
        head={['Time', ...names.map((name) => OUTCOMES[name])]}
        rows={spans.map((span) => [span.startedAt, ...names.map((name) => formatCount(span.outcomes[name] ?? 0))])}
      />
    </section>
  )
}

function drawBar(x: number, bottom: number, width: number, height: number): string {
  const [side, up] = [width.toFixed(1), height.toFixed(1)]
  return `M${x.toFixed(1)} ${bottom.toFixed(1)}h${side}v-${up}h-${side}z`
}

function Times({ spans }: { readonly spans: readonly Span[] }) {
  const values = spans.flatMap(({ p50, p99 }) => [p50 ?? 0, p99 ?? 0])
  const most = Math.max(1, ...values)
  const width = WIDTH / Math.max(1, spans.length)
  const toX = (at: number) => ((at + 0.4) * width).toFixed(1)
  const toY = (ms: number) => (HEIGHT - (ms / most) * (HEIGHT - 4)).toFixed(1)
  const dots = (name: 'p50' | 'p99') =>
    spans.map((span, at) => {
      const ms = span[name]
      return ms === undefined ? null : <circle key={at} class={`dot ${name}`} cx={toX(at)} cy={toY(ms)} r={2.2} />
    })
  const line = (name: 'p50' | 'p99') => {
    let isDrawn = false
    const steps = spans.map((span, at) => {
      const ms = span[name]
      const step = ms === undefined ? '' : `${isDrawn ? 'L' : 'M'}${toX(at)} ${toY(ms)}`
      isDrawn = ms !== undefined
      return step
    })
    return <path class={`line ${name}`} d={steps.join('')} />
  }
  const latest = spans.findLast(({ p50 }) => p50 !== undefined)
  return (
    <section class="chart">
      <h2>Time of handlers</h2>
      <p class="legend">
        <span class="mark p50">p50 {latest?.p50 !== undefined && formatMs(latest.p50)}</span>
        <span class="mark p99">p99 {latest?.p99 !== undefined && formatMs(latest.p99)}</span>
        {!latest && <span class="quiet">No handler ran in this time.</span>}
      </p>
      <Frame spans={spans} top={formatMs(most)} label={`Time of handlers, at most ${formatMs(most)}`}>
        {line('p50')}
        {line('p99')}
        {dots('p50')}
        {dots('p99')}
      </Frame>
      <Table
        caption="Time of handlers"
        head={['Time', 'p50', 'p99']}
        rows={spans.map(({ startedAt, p50, p99 }) => [
          startedAt,
          p50 === undefined ? '–' : formatMs(p50),
          p99 === undefined ? '–' : formatMs(p99),
        ])}
      />
    </section>
  )
}

interface FrameProps {
  readonly spans: readonly Span[]
  readonly top: string
  readonly label: string
  readonly children: ComponentChildren
}

/** The axes of a chart are text beside it, so that they are as large as other text at any width. */
function Frame({ spans, top, label, children }: FrameProps) {
  const middle = spans[Math.floor(spans.length / 2)]
  return (
    <div class="frame">
      <span class="axis-top">{top}</span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        <path class="grid-line" d={`M0 1H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
        {children}
      </svg>
      <span class="axis">
        <span>{spans[0] && formatMinute(spans[0].startedAt)}</span>
        <span>{middle && formatMinute(middle.startedAt)}</span>
        <span>now</span>
      </span>
    </div>
  )
}

interface TableProps {
  readonly caption: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The same as numbers. */
function Table({ caption, head, rows }: TableProps) {
  return (
    <details>
      <summary>As a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard. */}
      <div class="table-frame" tabIndex={0} role="group" aria-label={caption}>
        <table>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {head.map((cell) => (
                <th key={cell} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([at = '', ...cells]) => (
              <tr key={at}>
                <th scope="row">
                  <Time at={at} />
                </th>
                {cells.map((cell, i) => (
                  <td key={i} class="number">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}

interface CausesProps {
  readonly codes: readonly (readonly [string, number])[]
  readonly startedAt: string
}

function Causes({ codes, startedAt }: CausesProps) {
  const most = Math.max(1, ...codes.map(([, number]) => number))
  return (
    <table class="causes">
      <thead class="unseen">
        <tr>
          <th>Cause</th>
          <th colSpan={2}>Number</th>
        </tr>
      </thead>
      <tbody>
        {codes.map(([code, number]) => (
          <tr key={code}>
            <th scope="row">
              <a href={toHash({ page: 'deliveries', query: { code, since: startedAt } })} title={adviseOn(code) ?? ''}>
                {code}
              </a>
            </th>
            <td class="bar">
              <span style={{ width: `${Math.max(1, (number / most) * 100)}%` }} />
            </td>
            <td class="number">{formatCount(number)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function sum(all: readonly Readonly<Record<string, number>>[]): readonly (readonly [string, number])[] {
  const sums = new Map<string, number>()
  for (const one of all)
    for (const [name, number] of Object.entries(one)) sums.set(name, (sums.get(name) ?? 0) + number)
  return [...sums].sort(([, a], [, b]) => b - a)
}
