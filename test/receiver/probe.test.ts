import type { ReceiverOptions } from 'hooklayer'
import type { ObservedEvent, WebhookResponse } from 'hooklayer/drivers'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createProbe } from 'hooklayer/testing'
import { describe, expect, it, vi } from 'vitest'
import { delivery, OTHER_SECRET, order, recordingLogger, SECRET } from '../deliveries.ts'
import { inBothRuntimes } from '../runtimes.ts'

const code = ({ status, body }: WebhookResponse) => {
  const { outcome, error } = JSON.parse(body)
  return `${status} ${outcome ?? error.code}`
}

describe.each(await inBothRuntimes(() => import('hooklayer')))('a probe, on %s,', (_, hooklayer) => {
  function receiverWith(options: Partial<ReceiverOptions> = {}) {
    const { logger, messages } = recordingLogger()
    const [handler, errors, events] = [vi.fn(), vi.fn(), [] as ObservedEvent[]]
    const observers = [{ onEvent: (event: ObservedEvent) => void events.push(event) }]
    const secrets = { 'orders.place': SECRET }
    const receiver = hooklayer.createReceiver({ secrets, logger, observers, ...options })
    receiver.on('orders.place', handler).onError(errors)
    return { receiver, handler, errors, messages, types: () => events.map(({ type }) => type) }
  }

  it('is answered after its signature was verified, and nothing is handled or stored', async () => {
    const inbox = createMemoryInbox()
    const label = { secret: SECRET, organizationId: 'wRPpEFOElR', mode: 'live' } as const
    const store = createMemoryStore()
    const reserve = vi.spyOn(store, 'reserve')
    for (const options of [{}, { inbox }, { secrets: label }, { idempotency: { store } }, { maxAgeMs: 1000 }]) {
      const { receiver, handler, errors, types } = receiverWith(options)
      expect(code(await receiver.receive(await createProbe('orders.place', { secret: SECRET })))).toBe('200 ignored')
      expect(types()).toEqual(['received', 'finished'])
      expect(handler).not.toHaveBeenCalled()
      expect(errors).not.toHaveBeenCalled()
    }
    expect((await inbox.statistics()).queued).toBe(0)
    expect(reserve).not.toHaveBeenCalled()
  })

  it('is refused with another secret, and is no alarm', async () => {
    const { receiver, errors, messages, types } = receiverWith()
    for (let count = 0; count < 20; count++) {
      const probe = await createProbe('orders.place', { secret: OTHER_SECRET })
      expect(code(await receiver.receive(probe))).toBe('401 SIGNATURE_MISMATCH')
    }
    expect(errors).not.toHaveBeenCalled()
    expect(messages()).toEqual([])
    expect(types()).toEqual([])
  })

  it('does not end a row of failures, which the circuit still counts', async () => {
    const { receiver, handler, errors } = receiverWith()
    handler.mockRejectedValue(new Error('out of stock'))
    const place = () => receiver.receive(delivery('orders.place', { data: order() }))
    await place()
    await receiver.receive(await createProbe('orders.place', { secret: SECRET }))
    await place()
    expect(errors.mock.calls.map(([, { consecutiveFailures }]) => consecutiveFailures)).toEqual([1, 2])
  })

  it('is told from a body of the same length', async () => {
    const { receiver } = receiverWith()
    const body = '{"hooklayer":"porbe"}'
    expect(code(await receiver.receive(delivery('orders.place', body)))).toBe('400 DOCUMENT_INVALID')
  })
})
