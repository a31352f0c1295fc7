import { setTimeout as sleep } from 'node:timers/promises'
import type { FailedDelivery } from 'hooklayer/drivers'
import { describe, expect, it } from 'vitest'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxSuite,
  listDeadLetters,
  putAll,
} from './harness.ts'

/** Handles all topics but this one. */
const isHandled = (topic: string) => topic !== 'orders.refund'
const REFUND = { topic: 'orders.refund' }

export function testUnhandled(suite: InboxSuite): void {
  describe('a delivery for which a worker has no handler', () => {
    it('is never handled by that worker, and waits for one that has the handler', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const [yesterday, today] = [await open(), await open()]
      const old = createRecording()
      const warnings: string[] = []
      const onWarning = (message: string, topic: string) => warnings.push(`${topic}: ${message}`)
      consume(yesterday, old.process, { isHandled, onWarning })
      await putAll(today, [...createSeveral(6, 'refund', REFUND), ...createSeveral(6, 'place')])
      await waitFor(() => expect(old.ended).toHaveLength(6))
      await waitFor(async () =>
        expect(await today.statistics()).toMatchObject({
          queued: 0,
          running: 0,
          unhandled: 6,
          dead: 0,
          oldest: undefined,
          byTopic: { 'orders.refund': { queued: 0, running: 0, failed: 0, unhandled: 6, dead: 0 } },
        }),
      )
      expect(warnings).toEqual(['orders.refund: Deliveries wait: this worker has no handler for the topic.'])
      const attempts: number[] = []
      const fresh = createRecording((_, { number }) => attempts.push(number))
      consume(today, fresh.process)
      await waitFor(() => expect(fresh.ended).toHaveLength(6))
      expect(old.started.every((id) => id.startsWith('place'))).toBe(true)
      expect(fresh.started.every((id) => id.startsWith('refund'))).toBe(true)
      expect(attempts).toEqual([1, 1, 1, 1, 1, 1])
      await waitFor(async () => expect(await today.statistics()).toMatchObject({ unhandled: 0, dead: 0, byTopic: {} }))
    })

    it('does not hold up the others of its group', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const group = 'orders/A'
      await putAll(inbox, [createStored('refund', { ...REFUND, group }), createStored('place', { group })])
      const { process, ended } = createRecording()
      consume(inbox, process, { isHandled })
      await waitFor(() => expect(ended).toEqual(['place']))
    })

    it('does not make the inbox full for the others', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open({ maxQueued: 4 })
      const { process, ended } = createRecording()
      await putAll(inbox, createSeveral(4, 'refund', REFUND))
      consume(inbox, process, { isHandled })
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, unhandled: 4 }))
      // A count may be used for a while.
      await waitFor(async () => expect(await inbox.put(createStored('place'))).not.toBe('full'))
      await waitFor(() => expect(ended).toEqual(['place']))
    })

    it('is known as a duplicate', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const stored = createStored('refund', REFUND)
      await putAll(inbox, [stored])
      consume(inbox, createRecording().process, { isHandled })
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, unhandled: 1 }))
      expect(await inbox.put(stored)).toBe('duplicate')
    })

    it('becomes a dead letter once no worker has had a handler for long, and can be retried', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open({ unhandledMs: 300 })
      const failures: FailedDelivery[] = []
      const { process, ended } = createRecording()
      const worker = consume(inbox, process, {
        isHandled,
        onFailure: (failure) => failures.push(failure),
      })
      await putAll(inbox, [createStored('refund', REFUND)])
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ unhandled: 1, dead: 0 }))
      await waitFor(async () =>
        expect(await listDeadLetters(inbox)).toMatchObject([
          { id: 'refund', topic: 'orders.refund', attempts: 0, error: { code: 'NO_HANDLER' } },
        ]),
      )
      await waitFor(() =>
        expect(failures).toMatchObject([
          { type: 'dead', topic: 'orders.refund', error: { code: 'NO_HANDLER' }, count: 1 },
        ]),
      )
      expect(await inbox.statistics()).toMatchObject({ unhandled: 0, dead: 1 })
      await worker.stop()
      expect(await inbox.deadLetters.retry({ code: 'NO_HANDLER' })).toBe(1)
      consume(inbox, process)
      await waitFor(() => expect(ended).toEqual(['refund']))
    })

    it('becomes a dead letter when there are too many of its topic, the oldest first', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open({ maxUnhandled: 3 })
      const { process, ended } = createRecording()
      consume(inbox, process, { isHandled })
      for (const delivery of createSeveral(5, 'refund', REFUND)) {
        await putAll(inbox, [delivery])
        await sleep(5)
      }
      await putAll(inbox, [createStored('other')])
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, unhandled: 3, dead: 2 }))
      expect((await listDeadLetters(inbox)).map(({ id }) => id).sort()).toEqual(['refund-0', 'refund-1'])
      await waitFor(() => expect(ended).toEqual(['other']))
    })
  })
}
