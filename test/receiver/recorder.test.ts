import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, createWorker, PermanentError, type ReceiverOptions } from 'hooklayer'
import type { DeliveryRecorder, RecordedAttempt } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createProbe } from 'hooklayer/testing'
import { describe, expect, it, vi } from 'vitest'
import { bytes, CART, delivery, idOf, OTHER_SECRET, recordingLogger, SECRET, withHeaders } from '../deliveries.ts'

const eventually = (check: () => unknown) => vi.waitFor(check, 10_000)

const PLACED = delivery('orders.place', CART)

/** A receiver with a recorder that keeps what it was told, as it was at that moment. */
function recorded(options: Partial<ReceiverOptions> = {}) {
  const attempts: RecordedAttempt[] = []
  const { logger, lines, messages } = recordingLogger()
  const recorder: DeliveryRecorder = {
    record: (attempt) => attempts.push({ ...attempt, handlers: attempt.handlers?.map((one) => ({ ...one })) ?? [] }),
  }
  const receiver = createReceiver({ secrets: SECRET, logger, recorder, ...options })
  return { receiver, attempts, lines, messages }
}

const stagesOf = ({ stages = [] }: RecordedAttempt) => stages.filter((_, i) => i % 2 === 0)

describe('a recorder', () => {
  it('is told of a request once, with its bytes, its stages and its handlers', async () => {
    const { receiver, attempts } = recorded()
    receiver.on('orders.place', { name: 'erp' }, async () => {})
    await receiver.receive(PLACED)
    expect(attempts).toHaveLength(1)
    const [attempt] = attempts
    expect(attempt).toMatchObject({
      source: 'request',
      request: { method: 'POST', headers: PLACED.headers },
      topic: 'orders.place',
      outcome: 'handled',
      error: undefined,
      consecutiveFailures: 0,
      parsed: { reference: { type: 'orders', id: 'NrlYhpzLKA' }, mode: 'test', organizationId: 'wRPpEFOElR' },
      handlers: [{ name: 'erp', outcome: 'handled', durationMs: expect.any(Number) }],
    })
    expect(attempt?.body).toBe(PLACED.body)
    expect(attempt?.delivery?.id).toBe(idOf('orders.place', PLACED.body))
    expect(attempt && stagesOf(attempt)).toEqual(['admit', 'secrets', 'read', 'verify', 'parse', 'handle'])
    const times = attempt?.stages?.filter((one) => typeof one === 'number') ?? []
    expect(times).toEqual(times.toSorted((one, other) => one - other))
    expect(times[0]).toBeGreaterThanOrEqual(Number(attempt?.startedAt))
  })

  it('is told of failures and of discarded deliveries, with the errors of the handlers', async () => {
    const { receiver, attempts } = recorded()
    const down = new Error('down')
    receiver.on('orders.place', { name: 'erp' }, () => {
      throw down
    })
    receiver.on('customers.create', { name: 'crm' }, () => {
      throw new PermanentError('no')
    })
    await receiver.receive(PLACED)
    await receiver.receive(delivery('customers.create', { data: { id: 'OeRyhjDlje', type: 'customers' } }))
    expect(attempts).toMatchObject([
      { outcome: 'failed', error: { code: 'HANDLER_FAILED', cause: down }, consecutiveFailures: 1 },
      { outcome: 'discarded', error: { message: 'no' } },
    ])
    expect(attempts.flatMap(({ handlers = [] }) => handlers)).toMatchObject([
      { name: 'erp', outcome: 'failed', thrown: down },
      { name: 'crm', outcome: 'discarded' },
    ])
  })

  it('is told of a handler that still runs at the deadline', async () => {
    const { receiver, attempts } = recorded({ deadlineMs: 300 })
    receiver.on('orders.place', () => sleep(600))
    await receiver.receive(PLACED)
    expect(attempts).toMatchObject([{ outcome: 'failed', error: { code: 'DEADLINE_EXCEEDED' } }])
    expect(attempts[0]?.handlers?.[0]).toMatchObject({ outcome: 'running' })
    await receiver.close()
    expect(attempts).toHaveLength(1)
  })

  it('is told of a refused request with the likely reason, and with the bytes that were signed', async () => {
    const { receiver, attempts } = recorded()
    const body = '{"data":{"id":"NrlYhpzLKA","type":"orders","attributes":{"total_amount_float":20.0}}}'
    const request = delivery('orders.place', body)
    const rewritten = bytes(body.replace('20.0', '20'))
    await receiver.receive({ ...request, body: rewritten })
    await eventually(() => expect(attempts).toHaveLength(1))
    expect(attempts[0]).toMatchObject({
      outcome: 'refused',
      error: { code: 'SIGNATURE_MISMATCH', hint: expect.stringMatching(/serialized again/) },
      body: rewritten,
      delivery: undefined,
    })
    expect(Buffer.from(attempts[0]?.signedBody ?? []).toString()).toBe(body)
  })

  it('is told of each refused request, also of those that the log leaves out', async () => {
    const { receiver, attempts } = recorded()
    for (let i = 0; i < 20; i++) await receiver.receive({ ...PLACED, method: 'GET' })
    for (let i = 0; i < 20; i++) await receiver.receive(delivery('orders.place', CART, OTHER_SECRET))
    await eventually(() => expect(attempts).toHaveLength(40))
    expect(new Set(attempts.map(({ outcome }) => outcome))).toEqual(new Set(['refused']))
    await receiver.receive(withHeaders(PLACED, { 'x-commercelayer-signature': undefined }))
    expect(attempts.at(-1)).toMatchObject({ error: { code: 'SIGNATURE_MISSING' }, body: undefined, topic: undefined })
  })

  it('is told why a signature does not match, also when the log has said so within the minute', async () => {
    const { receiver, attempts, messages } = recorded()
    receiver.on('orders.place', () => {})
    const spaced = { ...PLACED, body: bytes(JSON.stringify(CART, null, 1)) }
    await receiver.receive(spaced)
    await eventually(() => expect(attempts).toHaveLength(1))
    await sleep(1050) // One a second is examined.
    await receiver.receive(spaced)
    await eventually(() => expect(attempts).toHaveLength(2))
    expect(attempts[1]?.error).toMatchObject({ hint: expect.stringMatching(/whitespace/) })
    expect(messages().filter((message) => /SIGNATURE_MISMATCH/.test(message))).toHaveLength(1)
  })

  it('is told of a probe, of which nothing is reported otherwise', async () => {
    const { receiver, attempts, messages } = recorded()
    await receiver.receive(await createProbe('orders.place', { secret: SECRET }))
    await receiver.receive(await createProbe('orders.place', { secret: OTHER_SECRET }))
    expect(attempts).toMatchObject([{ outcome: 'ignored' }, { outcome: 'refused', error: { hint: undefined } }])
    expect(messages()).not.toContainEqual(expect.stringMatching(/SIGNATURE_MISMATCH/))
  })

  it('is told of what a closed receiver refuses', async () => {
    const { receiver, attempts } = recorded()
    await receiver.close()
    await receiver.receive(PLACED)
    expect(attempts).toMatchObject([{ outcome: 'refused', error: { code: 'SHUTTING_DOWN' }, request: PLACED }])
  })

  it('is told once of handlers in the background, when they have ended', async () => {
    const { receiver, attempts } = recorded()
    receiver.on('orders.place', () => sleep(20))
    let work: Promise<unknown> | undefined
    const { status } = await receiver.receive(PLACED, { background: (given) => (work = given) })
    expect({ status, attempts }).toEqual({ status: 202, attempts: [] })
    await work
    expect(attempts).toMatchObject([{ outcome: 'handled', ranInBackground: true }])
    expect(attempts[0] && stagesOf(attempts[0]).at(-1)).toBe('handle')
  })

  it('is told of a stored delivery when it is stored, and of each attempt of a worker', async () => {
    const inbox = createMemoryInbox()
    const { receiver, attempts } = recorded({ inbox, idempotency: { store: createMemoryStore() } })
    receiver.on('orders.place', () => {})
    await receiver.receive(PLACED)
    const worker = createWorker({ receiver, inbox })
    await eventually(() => expect(attempts).toHaveLength(2))
    await worker.stop()
    const [stored, handled] = attempts
    expect(stored).toMatchObject({ source: 'request', outcome: 'queued', handlers: [] })
    expect(stored && stagesOf(stored).at(-1)).toBe('store')
    expect(handled).toMatchObject({ source: 'inbox', outcome: 'handled', request: undefined, attempt: 1, attempts: 12 })
    expect(handled && stagesOf(handled)).toEqual(['parse', 'reserve', 'handle'])
    expect(handled?.delivery?.id).toBe(stored?.delivery?.id)
  })

  it('is told of a redelivery', async () => {
    const { receiver, attempts } = recorded()
    receiver.on('orders.place', () => {})
    await receiver.redeliver('orders.place', CART)
    expect(attempts).toMatchObject([{ source: 'redelivery', outcome: 'handled', topic: 'orders.place' }])
    expect(Buffer.from(attempts[0]?.body ?? []).toString()).toBe(JSON.stringify(CART))
  })

  it('has no effect by what it throws, which is logged once a minute', async () => {
    const recorder: DeliveryRecorder = {
      record() {
        throw new Error('full')
      },
    }
    const { receiver, lines } = recorded({ recorder })
    const warnings = () => lines.filter(({ level }) => level === 'warn')
    receiver.on('orders.place', () => {})
    for (let i = 0; i < 3; i++) expect((await receiver.receive(PLACED)).status).toBe(200)
    expect(warnings()).toMatchObject([{ message: expect.stringMatching(/recorder.*failed/i) }])
  })

  it('must have a method `record`', () => {
    expect(() => createReceiver({ secrets: SECRET, recorder: {} as never })).toThrow(
      '`recorder` has no method `record`.',
    )
  })
})
