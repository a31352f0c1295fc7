import { setTimeout as sleep } from 'node:timers/promises'
import { context, DiagLogLevel, diag, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import { createWorker, PermanentError } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createOpenTelemetryObserver } from 'hooklayer/opentelemetry'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { CART, delivery, idOf, OTHER_SECRET, recordingLogger, SECRET, withHeaders } from '../deliveries.ts'
import { waitFor } from '../wait-for.ts'
import { createScene, createSdk, withActiveSpan } from './sdk.ts'

const PLACED = delivery('orders.place', CART)
const PLACED_ID = idOf('orders.place', PLACED.body)
const MADE_UP = delivery('made_up.topic', { data: { type: 'made_up', id: 'a' } })
const SENDER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** What the SDK complains about: spans that end twice, attributes after the end. */
const complaints: unknown[] = []
beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const complain = (...words: unknown[]) => complaints.push(words)
  diag.setLogger({ error: complain, warn: complain, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN)
})
afterEach(() => {
  expect(complaints.splice(0)).toEqual([])
})
afterAll(() => {
  context.disable()
  diag.disable()
})

const milliseconds = ([seconds, nanoseconds]: readonly [number, number]) => seconds * 1000 + nanoseconds / 1e6
const isChildOf = (child: ReadableSpan, parent: ReadableSpan) =>
  child.parentSpanContext?.spanId === parent.spanContext().spanId &&
  child.spanContext().traceId === parent.spanContext().traceId
/** The ids of the spans that a span links to. */
const linksOf = (span: ReadableSpan) => span.links.map((link) => [link.context.traceId, link.context.spanId])
const idsOf = (span: ReadableSpan) => [span.spanContext().traceId, span.spanContext().spanId]

describe('the span of a request', () => {
  it('has the names and values of the conventions', async () => {
    const { receiver, spans } = createScene()
    receiver.on('orders.place', { name: 'erp' }, () => {})
    const before = Date.now()
    await receiver.receive(PLACED)
    const [span] = spans()
    expect(spans()).toHaveLength(1)
    expect(span).toMatchObject({ name: 'process orders.place', kind: SpanKind.CONSUMER, links: [], events: [] })
    expect(span?.instrumentationScope.name).toBe('hooklayer')
    expect(span?.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(span?.attributes).toEqual({
      'messaging.system': 'commercelayer',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders.place',
      'messaging.message.id': PLACED_ID,
      'messaging.message.body.size': PLACED.body.length,
      'hooklayer.outcome': 'handled',
      'hooklayer.handler': 'erp',
      'commercelayer.organization.id': 'wRPpEFOElR',
      'commercelayer.mode': 'test',
    })
    expect(milliseconds(span?.startTime ?? [0, 0])).toBeGreaterThanOrEqual(before)
  })

  it('lasts from the arrival of the request to the end of its handlers', async () => {
    const { receiver, span } = createScene()
    receiver.on('orders.place', () => sleep(30))
    const slowly = { ...PLACED, body: () => sleep(30).then(() => PLACED.body) }
    const before = Date.now()
    await receiver.receive(slowly as never)
    const { startTime, duration } = span('process orders.place')
    expect(milliseconds(startTime)).toBeLessThan(before + 25)
    expect(milliseconds(duration)).toBeGreaterThan(55)
    expect(milliseconds(startTime) + milliseconds(duration)).toBeLessThanOrEqual(Date.now() + 1)
  })

  it('is a child of the active span, and the parent of the spans of its handlers', async () => {
    const { receiver, tracer, span } = createScene()
    receiver.on('orders.place', { name: 'erp' }, async () => {
      await sleep(1)
      await withActiveSpan(tracer, 'erp call', async () => {})
    })
    receiver.on('orders.place', { name: 'mail' }, () => {
      tracer.startSpan('mail call').end()
    })
    await withActiveSpan(tracer, 'POST /webhooks', () => receiver.receive(PLACED))
    const processing = span('process orders.place')
    expect(isChildOf(processing, span('POST /webhooks'))).toBe(true)
    expect(isChildOf(span('erp call'), processing)).toBe(true)
    expect(isChildOf(span('mail call'), processing)).toBe(true)
    expect(processing.attributes['hooklayer.handler']).toBe('erp, mail')
  })

  it('leaves the active span of the caller as it was', async () => {
    const { receiver, tracer } = createScene()
    receiver.on('orders.place', () => sleep(1))
    await tracer.startActiveSpan('POST /webhooks', async (own) => {
      await receiver.receive(PLACED)
      expect(trace.getActiveSpan()).toBe(own)
    })
  })

  it('ends when the handlers have ended that run after the answer', async () => {
    const { receiver, tracer, span, spans } = createScene()
    receiver.on('orders.place', async () => {
      await sleep(10)
      tracer.startSpan('erp call').end()
    })
    const works: Promise<unknown>[] = []
    await receiver.receive(PLACED, { background: (work) => works.push(work) })
    expect(spans()).toEqual([])
    await Promise.all(works)
    expect(isChildOf(span('erp call'), span('process orders.place'))).toBe(true)
    expect(span('process orders.place').attributes['hooklayer.outcome']).toBe('handled')
  })

  it('has a link to the trace that the sender names, and is no part of it', async () => {
    const { receiver, spans } = createScene()
    await receiver.receive(withHeaders(PLACED, { traceparent: SENDER }))
    const [span] = spans()
    expect(span && linksOf(span)).toEqual([SENDER.split('-').slice(1, 3)])
    expect(span?.links[0]?.context).toMatchObject({ isRemote: true, traceFlags: 1 })
    expect(span?.parentSpanContext).toBeUndefined()
  })

  it.each([
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    '00-1-2-01',
  ])('has no link to %s, which names no span', async (traceparent) => {
    const { receiver, spans } = createScene()
    await receiver.receive(withHeaders(PLACED, { traceparent }))
    expect(spans()).toMatchObject([{ links: [] }])
  })

  it('is not made of requests that were not verified', async () => {
    const { receiver, spans } = createScene()
    await receiver.receive(withHeaders(delivery('orders.place', CART, OTHER_SECRET), { traceparent: SENDER }))
    await receiver.receive({ ...PLACED, method: 'GET' })
    expect(spans()).toEqual([])
  })

  it('has no topic that somebody may have made up', async () => {
    const { receiver, spans } = createScene()
    await receiver.receive(MADE_UP)
    expect(spans()).toMatchObject([
      {
        name: 'process _other',
        attributes: { 'messaging.destination.name': '_other', 'hooklayer.outcome': 'ignored' },
      },
    ])
  })

  it('has the ids of resource and event, if that is asked for', async () => {
    const { receiver, spans } = createScene({}, { captureResourceIds: true })
    const ids: string[] = []
    receiver.on('orders.place', ({ id }) => void ids.push(id))
    await receiver.receive(PLACED)
    expect(spans()[0]?.attributes).toMatchObject({
      'commercelayer.resource.type': 'orders',
      'commercelayer.resource.id': 'NrlYhpzLKA',
      'hooklayer.event.id': ids[0],
    })
  })

  it('is made of what is redelivered', async () => {
    const { receiver, tracer, span } = createScene()
    receiver.on('orders.place', () => {})
    await withActiveSpan(tracer, 'recover', () => receiver.redeliver('orders.place', CART))
    expect(isChildOf(span('process orders.place'), span('recover'))).toBe(true)
  })

  it('is made of a delivery that is refused because too many are under way', async () => {
    const { receiver, spans } = createScene({ maxInFlight: 1 })
    let release = () => {}
    receiver.on('orders.place', () => new Promise<void>((resolve) => (release = resolve)))
    const body = async () => PLACED.body
    const both = [receiver.receive({ ...PLACED, body } as never), receiver.receive({ ...PLACED, body } as never)]
    await waitFor(() => expect(spans()).toHaveLength(1))
    expect(spans()).toMatchObject([{ attributes: { 'error.type': 'OVERLOADED', 'hooklayer.outcome': 'failed' } }])
    release()
    await Promise.all(both)
    expect(spans()).toHaveLength(2)
  })
})

describe('the span of a delivery that failed', () => {
  it('has the status and the code, and of an exception only the class', async () => {
    const { receiver, spans } = createScene({}, { captureResourceIds: true })
    class ErpError extends Error {
      override name = 'ErpError'
    }
    receiver.on('orders.place', { name: 'erp' }, async () => {
      throw new ErpError('ada@example.com is unknown')
    })
    receiver.on('orders.place', { name: 'mail' }, () => {
      throw 'ada@example.com bounced'
    })
    await receiver.receive(PLACED)
    const [span] = spans()
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(span?.attributes).toMatchObject({ 'error.type': 'HANDLER_FAILED', 'hooklayer.outcome': 'failed' })
    expect(span?.events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['exception', { 'exception.type': 'string', 'hooklayer.handler': 'mail' }],
      ['exception', { 'exception.type': 'ErpError', 'hooklayer.handler': 'erp' }],
    ])
    const { attributes, events, status, links, name } = span ?? {}
    const written = JSON.stringify({ attributes, events, status, links, name })
    for (const secret of ['ada@example.com', SECRET, '2001', PLACED.headers['x-commercelayer-signature'] as string]) {
      expect(written).not.toContain(secret)
    }
  })

  it('has no name of a class that may be anything', async () => {
    const { receiver, spans } = createScene()
    receiver.on('orders.place', () => {
      throw Object.assign(new Error('down'), { name: 'ada@example.com' })
    })
    await receiver.receive(PLACED)
    expect(spans()[0]?.events).toMatchObject([{ attributes: { 'exception.type': 'Error' } }])
  })

  it('has no error status if a handler discarded it', async () => {
    const { receiver, spans } = createScene()
    receiver.on('orders.place', async () => {
      throw new PermanentError('no')
    })
    await receiver.receive(PLACED)
    expect(spans()).toMatchObject([
      {
        status: { code: SpanStatusCode.UNSET },
        attributes: { 'hooklayer.outcome': 'discarded' },
        events: [{ attributes: { 'exception.type': 'PermanentError' } }],
      },
    ])
  })

  it('ends at the deadline, whatever a late handler does', async () => {
    const { receiver, spans, tracer, span } = createScene({ deadlineMs: 20 })
    let isLate = false
    receiver.on('orders.place', async () => {
      await sleep(60)
      tracer.startSpan('late call').end()
      isLate = true
      throw new Error('late')
    })
    await receiver.receive(PLACED)
    expect(spans()).toMatchObject([{ attributes: { 'error.type': 'DEADLINE_EXCEEDED' } }])
    await waitFor(() => expect(isLate).toBe(true))
    await sleep(5)
    expect(isChildOf(span('late call'), span('process orders.place'))).toBe(true)
    expect(span('process orders.place').events).toEqual([])
  })
})

describe('the spans of a delivery that an inbox stores', () => {
  const setUp = (isSampled = true) => {
    const inbox = createMemoryInbox()
    const scene = createScene({ inbox }, {}, createSdk({ isSampled }))
    const work = () =>
      createWorker({ receiver: scene.receiver, inbox, backoffMs: 1, attempts: 2, logger: recordingLogger().logger })
    return { ...scene, inbox, work }
  }
  const waitForSpans = (spans: () => ReadableSpan[], count: number) =>
    waitFor(() => expect(spans().map(({ name }) => name)).toHaveLength(count))

  it('are one of storing, inside that of the request, and one of the worker that is linked to it', async () => {
    const { receiver, tracer, spans, span, work } = setUp()
    receiver.on('orders.place', async () => {
      tracer.startSpan('erp call').end()
    })
    // It waits already, so that the request itself wakes it up.
    const worker = work()
    await sleep(20)
    await withActiveSpan(tracer, 'POST /webhooks', () => receiver.receive(PLACED))
    await waitForSpans(spans, 5)
    await worker.stop()
    const [received, worked] = spans().filter(({ name }) => name === 'process orders.place')
    const sending = span('send orders.place')
    if (!received || !worked) throw new Error('There are two spans of processing.')
    expect(isChildOf(received, span('POST /webhooks'))).toBe(true)
    expect(isChildOf(sending, received)).toBe(true)
    expect(sending).toMatchObject({ kind: SpanKind.PRODUCER, status: { code: SpanStatusCode.UNSET } })
    expect(sending.attributes).toEqual({
      'messaging.system': 'commercelayer',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders.place',
    })
    expect(received.attributes['hooklayer.outcome']).toBe('queued')
    expect(worked.parentSpanContext).toBeUndefined()
    expect(worked.spanContext().traceId).not.toBe(received.spanContext().traceId)
    expect(linksOf(worked)).toEqual([idsOf(sending)])
    expect(worked.attributes).toMatchObject({
      'messaging.message.id': PLACED_ID,
      'hooklayer.outcome': 'handled',
      'hooklayer.attempt': 1,
      'commercelayer.mode': 'test',
    })
    expect(isChildOf(span('erp call'), worked)).toBe(true)
  })

  it('are one for each attempt, and all of them link to the same one', async () => {
    const { receiver, spans, span, work } = setUp()
    receiver.on('orders.place', () => {
      throw new Error('down')
    })
    await receiver.receive(PLACED)
    const worker = work()
    await waitForSpans(spans, 4)
    await worker.stop()
    const attempts = spans().filter(({ attributes }) => attributes['hooklayer.attempt'])
    expect(attempts.map(({ attributes }) => attributes['hooklayer.attempt'])).toEqual([1, 2])
    expect(attempts.map(linksOf)).toEqual([1, 2].map(() => [idsOf(span('send orders.place'))]))
    expect(new Set(attempts.map((one) => one.spanContext().traceId)).size).toBe(2)
  })

  it('start when the worker does, not when the delivery was received', async () => {
    const { receiver, spans, work } = setUp()
    receiver.on('orders.place', () => {})
    await receiver.receive(PLACED)
    await sleep(30)
    const before = Date.now()
    const worker = work()
    await waitForSpans(spans, 3)
    await worker.stop()
    expect(milliseconds(spans().at(-1)?.startTime ?? [0, 0])).toBeGreaterThanOrEqual(before)
  })

  it('say that storing has failed, or that it was not needed', async () => {
    const { receiver, inbox, spans } = setUp()
    await receiver.receive(PLACED)
    await receiver.receive(PLACED)
    vi.spyOn(inbox, 'put').mockRejectedValueOnce(new Error('ada@example.com'))
    await receiver.receive(delivery('orders.pay', CART))
    const stored = spans().filter(({ kind }) => kind === SpanKind.PRODUCER)
    expect(stored.map(({ status, attributes }) => [status, attributes['error.type']])).toEqual([
      [{ code: SpanStatusCode.UNSET }, undefined],
      [{ code: SpanStatusCode.UNSET }, undefined],
      [{ code: SpanStatusCode.ERROR }, 'STORE_UNAVAILABLE'],
    ])
  })

  it('are linked even where nothing is sampled, and nothing is exported', async () => {
    const { receiver, inbox, spans } = setUp(false)
    const put = vi.spyOn(inbox, 'put')
    await receiver.receive(PLACED)
    expect(put.mock.calls[0]?.[0].traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(spans()).toEqual([])
  })

  it('of a delivery that is damaged say so, in a trace of their own', async () => {
    const { receiver, spans, tracer } = setUp()
    receiver.on('orders.place', () => {})
    const damaged = { topic: 'orders.place', body: 'text', receivedAt: new Date() } as unknown as StoredDelivery
    const attempt = { number: 3, signal: new AbortController().signal }
    await withActiveSpan(tracer, 'other', () => expect(receiver.handleStored(damaged, attempt)).rejects.toThrow())
    expect(spans()[0]).toMatchObject({
      name: 'process orders.place',
      parentSpanContext: undefined,
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'error.type': 'BODY_DAMAGED', 'hooklayer.attempt': 3 },
    })
  })
})

describe('the observer', () => {
  it('does no harm without an SDK, and stores no trace context', async () => {
    const inbox = createMemoryInbox()
    const put = vi.spyOn(inbox, 'put')
    const handler = vi.fn()
    const observers = [createOpenTelemetryObserver()]
    const scene = createScene({ inbox, observers, idempotency: { store: createMemoryStore() } })
    scene.receiver.on('orders.place', handler)
    expect((await scene.receiver.receive(PLACED)).status).toBe(202)
    expect(put.mock.calls[0]?.[0]).not.toHaveProperty('traceparent')
    await scene.receiver.redeliver('orders.place', CART)
    expect(handler).toHaveBeenCalledOnce()
    expect(scene.lines.filter(({ message }) => /observer/i.test(message))).toEqual([])
  })

  it('takes the global providers, if it is given none', async () => {
    const sdk = createSdk()
    trace.setGlobalTracerProvider(sdk.tracerProvider)
    try {
      const { receiver } = createScene({ observers: [createOpenTelemetryObserver()] })
      await receiver.receive(PLACED)
      expect(sdk.spans()).toHaveLength(1)
    } finally {
      trace.disable()
    }
  })

  it.each([
    [{ captureResourceId: true }, /Did you mean `captureResourceIds`/],
    [{ captureResourceIds: 'yes' }, /`captureResourceIds` must be false or true/],
    [{ tracerProvider: {} }, /`tracerProvider` has no method `getTracer`/],
    [{ meterProvider: createSdk().tracerProvider }, /`meterProvider` has no method `getMeter`/],
    [{ inbox: {} }, /`inbox` has no method `statistics`/],
    [null, /must be an object/],
  ])('is not made of wrong options: %j', (options, message) => {
    const make = () => createOpenTelemetryObserver(options as never)
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})
