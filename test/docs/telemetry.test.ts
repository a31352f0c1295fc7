import { readFileSync } from 'node:fs'
import type { MetricData } from '@opentelemetry/sdk-metrics'
import { DataPointType } from '@opentelemetry/sdk-metrics'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { beforeAll, describe, expect, it } from 'vitest'
import { ATTRIBUTES, METRICS } from '../../src/telemetry/names.ts'
import { CART, delivery, OTHER_SECRET } from '../deliveries.ts'
import { createScene } from '../telemetry/sdk.ts'

const page = readFileSync('docs/observability.md', 'utf8')
const dashboard = JSON.parse(readFileSync('docs/grafana-dashboard.json', 'utf8')) as Dashboard

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

/** The rows below a heading: the cells, each as the names in code that it has. */
function readTable(firstCell: string): string[][] {
  const [table = ''] = page.slice(page.indexOf(`| ${firstCell} |`)).split('\n\n')
  const rows = table.split('\n').slice(2)
  return rows.map((row) => row.split('|').map((cell) => cell.trim()))
}
const namesIn = (cell = '') => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = '']) => name)

/** What a shop emits in which all of it happens. */
interface Emitted {
  readonly spans: ReadonlyMap<string, string>
  readonly spanAttributes: ReadonlySet<string>
  readonly metrics: readonly MetricData[]
}

let emitted: Emitted
beforeAll(async () => {
  const inbox = createMemoryInbox()
  const scene = createScene({ inbox }, { inbox, captureResourceIds: true })
  const { receiver } = scene
  let isDown = false
  receiver.on('orders.place', () => {
    if (isDown) throw new Error('down')
  })
  const placed = delivery('orders.place', CART)
  await receiver.receive(placed)
  await receiver.receive(delivery('orders.place', CART, OTHER_SECRET))
  await receiver.redeliver('orders.place', CART)
  isDown = true
  await expect(receiver.redeliver('orders.place', CART)).rejects.toThrow()
  const attempt = { number: 1, signal: new AbortController().signal }
  const stored = { topic: 'orders.place', body: placed.body, receivedAt: new Date() }
  await expect(receiver.handleStored(stored, attempt)).rejects.toThrow()
  const spans = scene.spans()
  const attributes = spans.flatMap((span) => [span.attributes, ...span.events.map((event) => event.attributes ?? {})])
  emitted = {
    spans: new Map(spans.map(({ name, kind }) => [name, kind === 3 ? 'PRODUCER' : 'CONSUMER'])),
    spanAttributes: new Set(attributes.flatMap((one) => Object.keys(one))),
    metrics: [...(await scene.metrics()).values()],
  }
})

describe('the page about observability', () => {
  it('has each span that is made, with its kind, and no other', () => {
    const documented = readTable('span').map(([, span, kind]) => [...namesIn(span), ...namesIn(kind)])
    const code = Array.from(emitted.spans, ([name, kind]) => [name.replace('orders.place', '{topic}'), kind])
    expect(documented.sort()).toEqual(code.sort())
  })

  it('has each attribute that is set, and no other', () => {
    const documented = readTable('attribute').flatMap(([, name]) => namesIn(name))
    expect(documented.sort()).toEqual([...emitted.spanAttributes].sort())
    expect(documented.sort()).toEqual(Object.values(ATTRIBUTES).sort())
  })

  it('has each metric with its instrument, its unit and its attributes, and no other', () => {
    const documented = readTable('metric').map(([, name, instrument, unit, attributes]) => [
      ...namesIn(name),
      instrument,
      ...namesIn(unit),
      namesIn(attributes).sort().join(),
    ])
    const code = emitted.metrics.map((data) => [
      data.descriptor.name,
      instrumentOf(data),
      data.descriptor.unit,
      labelsOf(data).sort().join(),
    ])
    expect(documented.sort()).toEqual(code.sort())
    expect(documented.map(([name]) => name).sort()).toEqual(Object.values(METRICS).sort())
  })

  it('says of an attribute that metrics have it if one has, and only then', () => {
    const documented = readTable('attribute').filter(([, , on]) => on?.includes('metrics'))
    const code = new Set(emitted.metrics.flatMap(labelsOf))
    expect(documented.flatMap(([, name]) => namesIn(name)).sort()).toEqual([...code].sort())
  })
})

describe('the dashboard for Grafana', () => {
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

  it('asks for each metric that is emitted, by the name that it has in Prometheus, and for no other', () => {
    const known = new Map(emitted.metrics.map((data) => [data.descriptor.name, toPrometheusNames(data)]))
    const asked = new Set(expressions.flatMap(metricsIn))
    expect([...asked].filter((name) => ![...known.values()].flat().includes(name))).toEqual([])
    const unused = [...known].filter(([, names]) => !names.some((name) => asked.has(name)))
    expect(unused).toEqual([])
  })

  it('groups and filters by attributes that the metric has', () => {
    for (const expr of expressions) {
      const [metric = ''] = metricsIn(expr)
      const data = emitted.metrics.find((one) => toPrometheusNames(one).includes(metric))
      const labels = data ? [...labelsOf(data).map(toPrometheusName), 'le'] : []
      expect(
        labelsIn(expr).filter((label) => !labels.includes(label)),
        expr,
      ).toEqual([])
    }
    expect(expressions.flatMap(labelsIn).length).toBeGreaterThan(5)
  })
})

function instrumentOf({ dataPointType }: MetricData): string {
  if (dataPointType === DataPointType.SUM) return 'counter'
  return dataPointType === DataPointType.GAUGE ? 'gauge' : 'histogram'
}

function labelsOf({ dataPoints }: MetricData): string[] {
  return [...new Set(dataPoints.flatMap(({ attributes }) => Object.keys(attributes)))]
}

/**
 * The names of a metric's series after the translation from OTLP.
 *
 * @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
 */
function toPrometheusNames(data: MetricData): string[] {
  const { name, unit } = data.descriptor
  // Units in braces are annotations, and get no suffix.
  const base = toPrometheusName(name) + (unit === 's' ? '_seconds' : '')
  const instrument = instrumentOf(data)
  if (instrument === 'histogram') return ['_bucket', '_count', '_sum'].map((suffix) => base + suffix)
  return [instrument === 'counter' ? `${base}_total` : base]
}

function toPrometheusName(name: string): string {
  return name.replaceAll(/[^\w:]/g, '_')
}

/** The names before a selector, a range or the end of a function's arguments. Functions have a bracket behind them. */
function metricsIn(expr: string): string[] {
  const withoutLabels = expr.replaceAll(/\b(?:by|without) \([^)]*\)|\{[^}]*\}/g, '')
  const names = Array.from(withoutLabels.matchAll(/[a-z_:][\w:]*(?=\s*[[)])/g), ([name]) => name)
  return names.filter((name) => !name.startsWith('__'))
}

function labelsIn(expr: string): string[] {
  const groups = Array.from(expr.matchAll(/\bby \(([^)]*)\)/g), ([, list = '']) => list.split(/,\s*/))
  return [...groups.flat(), ...Array.from(expr.matchAll(/(\w+)\s*(?:=~?|!=|!~)\s*"/g), ([, label = '']) => label)]
}
