import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { CART, delivery } from '../deliveries.ts'
import { parseCodeBlocks } from '../docs/code-blocks.ts'
import { type Collector, type OtlpSpan, startCollector } from './collector.ts'

/** OTLP's numbers of the kinds of spans. */
const KIND = { internal: 1, server: 2, producer: 4, consumer: 5 }
const STARTS_SDK = 'test/docs/.blocks/telemetry/telemetry.ts'

let folder: string
let collector: Collector
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hooklayer-trace-'))
  collector = await startCollector()
  const block = parseCodeBlocks('docs/observability.md').find(({ title }) => title === 'telemetry.ts')
  mkdirSync('test/docs/.blocks/telemetry', { recursive: true })
  writeFileSync(STARTS_SDK, block?.code ?? '')
})
afterAll(() => {
  collector.close()
  rmSync(folder, { recursive: true })
  rmSync('test/docs/.blocks/telemetry', { recursive: true })
})

/** Starts a process of the shop, with OpenTelemetry's SDK as the manual starts it. */
function start(role: 'receive' | 'work' | 'hang', file: string): ChildProcess {
  const child = fork('test/telemetry/program.ts', [role, file], {
    execArgv: ['--import', 'tsx', '--import', resolve(STARTS_SDK)],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function messageOf(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

async function untilHandling(child: ChildProcess): Promise<void> {
  while ((await messageOf(child)) !== 'handling');
}

/** The spans of these names, once there are so many of each. */
function waitForSpans(counts: Readonly<Record<string, number>>): Promise<OtlpSpan[][]> {
  const named = (name: string) => collector.spans.filter((span) => span.name === name)
  return vi.waitFor(
    () => {
      for (const [name, count] of Object.entries(counts)) expect(named(name), name).toHaveLength(count)
      return Object.keys(counts).map(named)
    },
    { timeout: 20_000, interval: 50 },
  )
}

function read({ attributes }: OtlpSpan, name: string): unknown {
  return Object.values(attributes.find(({ key }) => key === name)?.value ?? {})[0]
}

const isChildOf = (child: OtlpSpan | undefined, parent: OtlpSpan | undefined) =>
  child !== undefined && child.parentSpanId === parent?.spanId && child.traceId === parent?.traceId

describe('the trace of a delivery', () => {
  it('leads from the span of the HTTP server to those of the handler, over a worker that was killed', async () => {
    const file = join(folder, 'inbox.sqlite')
    const port = await messageOf(start('receive', file))
    const placed = delivery('orders.place', CART)
    const sent = { ...placed, body: Buffer.from(placed.body) }
    const answer = await fetch(`http://127.0.0.1:${port}/webhooks`, sent)
    expect(answer.status).toBe(202)

    const killed = start('hang', file)
    await untilHandling(killed)
    await waitForSpans({ 'reserve stock': 1 })
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    await untilHandling(start('work', file))

    const wanted = { POST: 1, 'process orders.place': 2, 'send orders.place': 1, 'reserve stock': 2 }
    const [[server] = [], attempts = [], [sending] = [], calls = []] = await waitForSpans(wanted)
    const received = attempts.find((span) => read(span, 'hooklayer.outcome') === 'queued')
    const worked = attempts.find((span) => read(span, 'hooklayer.outcome') === 'handled')
    expect([server, received, sending, worked].map((span) => span?.kind)).toEqual([
      KIND.server,
      KIND.consumer,
      KIND.producer,
      KIND.consumer,
    ])
    expect(server?.parentSpanId).toBeUndefined()
    expect(isChildOf(received, server)).toBe(true)
    expect(isChildOf(sending, received)).toBe(true)
    // The span of the worker that was killed never ended. Its handler's own span has.
    const [before, after] = calls
    expect(isChildOf(after, worked)).toBe(true)
    expect(before?.traceId).not.toBe(after?.traceId)
    expect(worked?.traceId).not.toBe(server?.traceId)
    expect(worked?.links).toMatchObject([{ traceId: sending?.traceId, spanId: sending?.spanId }])
    expect(read(worked as OtlpSpan, 'hooklayer.attempt')).toBe(2)
  }, 60_000)
})
