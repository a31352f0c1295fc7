import { setTimeout as sleep } from 'node:timers/promises'
import { WebhookError } from 'hooklayer'
import type { DeliveryAttempt } from 'hooklayer/drivers'
import { describe, expect, it } from 'vitest'
import { itUnless } from '../helpers.ts'
import {
  createGate,
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxSuite,
  listDeadLetters,
  putAll,
} from './harness.ts'

const EMPTY = { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0, oldest: undefined, byTopic: {} }

export function testHandling(suite: InboxSuite): void {
  describe('a delivery that fails', () => {
    it('is retried after the delay of the attempt', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const attempts: { number: number; at: number }[] = []
      const fail = async (_: unknown, { number }: DeliveryAttempt) => {
        attempts.push({ number, at: performance.now() })
        if (number < 3) throw new Error('not yet')
      }
      const delays: number[] = []
      const delayMs = (attempt: number) => {
        delays.push(attempt)
        return attempt * 150
      }
      consume(inbox, fail, { attempts: 5, delayMs })
      await putAll(inbox, [createStored('late')])
      await waitFor(async () => expect(await inbox.statistics()).toEqual(EMPTY))
      expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3])
      expect(delays).toEqual([1, 2])
      const [first = 0, second = 0, third = 0] = attempts.map(({ at }) => at)
      expect(second - first).toBeGreaterThan(140)
      expect(third - second).toBeGreaterThan(290)
    })

    itUnless(suite.isDurable ? undefined : 'the inbox is in memory')(
      'keeps its number of attempts and its delay when the inbox is opened again',
      async () => {
        const { open, consume, waitFor } = await createScene(suite)
        const before = await open()
        await putAll(before, [createStored('late')])
        const failed = consume(before, () => Promise.reject(new Error('not yet')), { delayMs: () => 1500 })
        await waitFor(async () => expect(await before.statistics()).toMatchObject({ failed: 1 }))
        const failedAt = performance.now()
        await failed.stop()
        await before.close()
        const attempts: { number: number; at: number }[] = []
        consume(await open(), async (_, { number }) => void attempts.push({ number, at: performance.now() }))
        await waitFor(() => expect(attempts).toHaveLength(1))
        expect(attempts[0]?.number).toBe(2)
        expect((attempts[0]?.at ?? 0) - failedAt).toBeGreaterThan(1000)
      },
    )

    it('does not delay the others, even if it always fails', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const { process, ended } = createRecording(({ id }) => {
        if (id.startsWith('poison')) throw new Error('always')
      })
      await putAll(inbox, [...createSeveral(6, 'poison'), ...createSeveral(6, 'good')])
      consume(inbox, process, { concurrency: 2, attempts: 4, delayMs: () => 50 })
      await waitFor(() => expect(ended).toHaveLength(6))
      await waitFor(async () => expect(await listDeadLetters(inbox)).toHaveLength(6))
      expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 6, oldest: undefined })
    })

    it('becomes a dead letter after the last attempt', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const { process, started } = createRecording(() => Promise.reject(new WebhookError('HANDLER_FAILED')))
      consume(inbox, process, { attempts: 2 })
      await putAll(inbox, [createStored('bad')])
      await waitFor(async () => expect(await listDeadLetters(inbox)).toMatchObject([{ id: 'bad', attempts: 2 }]))
      expect(started).toEqual(['bad', 'bad'])
    })

    it('may fail before it returns a promise', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const fail = () => {
        throw new Error('at-once')
      }
      consume(inbox, fail, { attempts: 1 })
      await putAll(inbox, [createStored('bad')])
      await waitFor(async () => expect(await listDeadLetters(inbox)).toMatchObject([{ id: 'bad', attempts: 1 }]))
    })
  })

  describe('concurrency', () => {
    it('is used in full, and not exceeded', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const { process, started, ended, peak } = createRecording(() => gate.opened)
      consume(inbox, process, { concurrency: 3 })
      await Promise.all(createSeveral(10, 'one').map((delivery) => inbox.put(delivery)))
      await waitFor(() => expect(started).toHaveLength(3))
      await sleep(300)
      gate.open()
      await waitFor(() => expect(ended).toHaveLength(10))
      expect(peak.get('all')).toBe(3)
    })

    it('is not taken up by a topic beyond its limit', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const { process, ended, peak } = createRecording(({ topic }) => topic === 'orders.slow' && gate.opened)
      await putAll(inbox, createSeveral(6, 'slow', { topic: 'orders.slow' }))
      await putAll(inbox, createSeveral(6, 'quick', { topic: 'orders.quick' }))
      consume(inbox, process, { concurrency: 3, concurrencyByTopic: { 'orders.slow': 2 } })
      await waitFor(() => expect(ended).toHaveLength(6))
      expect(ended.every((id) => id.startsWith('quick'))).toBe(true)
      gate.open()
      await waitFor(() => expect(ended).toHaveLength(12))
      expect(peak.get('orders.slow')).toBe(2)
    })

    it('of several workers adds up, and no delivery is handled twice', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const [one, other] = [await open(), await open()]
      const [left, right] = [createRecording(() => sleep(5)), createRecording(() => sleep(5))]
      consume(one, left.process, { concurrency: 2 })
      consume(other, right.process, { concurrency: 2 })
      await Promise.all(createSeveral(80, 'work').map((delivery) => one.put(delivery)))
      await waitFor(() => expect([...left.ended, ...right.ended]).toHaveLength(80))
      await waitFor(async () => expect(await one.statistics()).toEqual(EMPTY))
      expect(new Set([...left.started, ...right.started]).size).toBe(80)
      expect(left.started.length + right.started.length).toBe(80)
      expect(Math.min(left.ended.length, right.ended.length)).toBeGreaterThan(0)
    })
  })

  describe('statistics', () => {
    it('count what is queued, running, failed and dead, in all and by topic, and give the age of the oldest', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      expect(await inbox.statistics()).toEqual(EMPTY)
      const gate = createGate()
      const { process, started } = createRecording(({ id }) => {
        if (id === 'dead') throw new WebhookError('DOCUMENT_INVALID')
        if (id === 'failed') throw new Error('not yet')
        return gate.opened
      })
      const at = (seconds: number) => new Date(Date.UTC(2026, 7, 1, 0, 0, seconds))
      await putAll(inbox, [createStored('dead', { receivedAt: at(1) }), createStored('failed', { receivedAt: at(3) })])
      const first = consume(inbox, process, { concurrency: 1, delayMs: () => 60_000 })
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ dead: 1, failed: 1 }))
      await putAll(inbox, [createStored('running', { receivedAt: at(2) })])
      await waitFor(() => expect(started).toContain('running'))
      await putAll(inbox, createSeveral(2, 'queued', { receivedAt: at(4) }))
      const counts = { queued: 2, running: 1, failed: 1, unhandled: 0, dead: 1 }
      const busy = { ...counts, oldest: at(2), byTopic: { 'orders.place': counts } }
      await waitFor(async () => expect(await inbox.statistics()).toEqual(busy))
      gate.open()
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      expect(await inbox.statistics()).toMatchObject({ failed: 1, dead: 1, oldest: at(3) })
      await first.stop()
    })
  })
}
