import { setTimeout as sleep } from 'node:timers/promises'
import { WebhookError } from 'hooklayer'
import type { DeliveryAttempt } from 'hooklayer/drivers'
import { describe, expect, it } from 'vitest'
import {
  createGate,
  createScene,
  deadLettersOf,
  type InboxSuite,
  putAll,
  recording,
  several,
  stored,
} from './harness.ts'

const EMPTY = { queued: 0, running: 0, failed: 0, dead: 0, oldest: undefined }

export function testHandling(suite: InboxSuite): void {
  describe('a delivery that fails', () => {
    it('is tried again after the delay that belongs to the attempt', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const attempts: { number: number; at: number }[] = []
      const fail = async (_: unknown, { number }: DeliveryAttempt) => {
        attempts.push({ number, at: performance.now() })
        if (number < 3) throw new Error('not yet')
      }
      const asked: number[] = []
      const delayMs = (attempt: number) => {
        asked.push(attempt)
        return attempt * 150
      }
      consume(inbox, fail, { attempts: 5, delayMs })
      await putAll(inbox, [stored('late')])
      await eventually(async () => expect(await inbox.statistics()).toEqual(EMPTY))
      expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3])
      expect(asked).toEqual([1, 2])
      const [first = 0, second = 0, third = 0] = attempts.map(({ at }) => at)
      expect(second - first).toBeGreaterThan(140)
      expect(third - second).toBeGreaterThan(290)
    })

    it.runIf(suite.isDurable)('keeps its number of attempts and its delay when the inbox is opened anew', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const before = await open()
      await putAll(before, [stored('late')])
      const failed = consume(before, () => Promise.reject(new Error('not yet')), { delayMs: () => 1500 })
      await eventually(async () => expect(await before.statistics()).toMatchObject({ failed: 1 }))
      const failedAt = performance.now()
      await failed.stop()
      await before.close()
      const attempts: { number: number; at: number }[] = []
      consume(await open(), async (_, { number }) => void attempts.push({ number, at: performance.now() }))
      await eventually(() => expect(attempts).toHaveLength(1))
      expect(attempts[0]?.number).toBe(2)
      expect((attempts[0]?.at ?? 0) - failedAt).toBeGreaterThan(1000)
    })

    it('does not keep the others waiting, however poisonous it is', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const { process, ended } = recording(({ id }) => {
        if (id.startsWith('poison')) throw new Error('always')
      })
      await putAll(inbox, [...several(6, 'poison'), ...several(6, 'good')])
      consume(inbox, process, { concurrency: 2, attempts: 4, delayMs: () => 50 })
      await eventually(() => expect(ended).toHaveLength(6))
      await eventually(async () => expect(await deadLettersOf(inbox)).toHaveLength(6))
      expect(await inbox.statistics()).toEqual({ ...EMPTY, dead: 6 })
    })

    it('is given up after as many attempts as there are', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const { process, started } = recording(() => Promise.reject(new WebhookError('HANDLER_FAILED')))
      consume(inbox, process, { attempts: 2 })
      await putAll(inbox, [stored('bad')])
      await eventually(async () => expect(await deadLettersOf(inbox)).toMatchObject([{ id: 'bad', attempts: 2 }]))
      expect(started).toEqual(['bad', 'bad'])
    })

    it('may fail before it returns a promise', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const fail = () => {
        throw new Error('at-once')
      }
      consume(inbox, fail, { attempts: 1 })
      await putAll(inbox, [stored('bad')])
      await eventually(async () => expect(await deadLettersOf(inbox)).toMatchObject([{ id: 'bad', attempts: 1 }]))
    })
  })

  describe('hands', () => {
    it('are as many as allowed, and no more', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const { process, started, ended, peak } = recording(() => gate.opened)
      consume(inbox, process, { concurrency: 3 })
      await Promise.all(several(10, 'one').map((delivery) => inbox.put(delivery)))
      await eventually(() => expect(started).toHaveLength(3))
      await sleep(300)
      gate.open()
      await eventually(() => expect(ended).toHaveLength(10))
      expect(peak.get('all')).toBe(3)
    })

    it('are not occupied by a topic beyond its limit', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const { process, ended, peak } = recording(({ topic }) => topic === 'orders.slow' && gate.opened)
      await putAll(inbox, several(6, 'slow', { topic: 'orders.slow' }))
      await putAll(inbox, several(6, 'quick', { topic: 'orders.quick' }))
      consume(inbox, process, { concurrency: 3, concurrencyByTopic: { 'orders.slow': 2 } })
      await eventually(() => expect(ended).toHaveLength(6))
      expect(ended.every((id) => id.startsWith('quick'))).toBe(true)
      gate.open()
      await eventually(() => expect(ended).toHaveLength(12))
      expect(peak.get('orders.slow')).toBe(2)
    })

    it('of several consumers share the work, and none does it twice', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const [one, other] = [await open(), await open()]
      const [left, right] = [recording(() => sleep(5)), recording(() => sleep(5))]
      consume(one, left.process, { concurrency: 2 })
      consume(other, right.process, { concurrency: 2 })
      await Promise.all(several(80, 'work').map((delivery) => one.put(delivery)))
      await eventually(() => expect([...left.ended, ...right.ended]).toHaveLength(80))
      await eventually(async () => expect(await one.statistics()).toEqual(EMPTY))
      expect(new Set([...left.started, ...right.started]).size).toBe(80)
      expect(left.started.length + right.started.length).toBe(80)
      expect(Math.min(left.ended.length, right.ended.length)).toBeGreaterThan(0)
    })
  })

  describe('statistics', () => {
    it('say what waits, runs, has failed and is dead, and how old it is', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      expect(await inbox.statistics()).toEqual(EMPTY)
      const gate = createGate()
      const { process, started } = recording(({ id }) => {
        if (id === 'dead') throw new WebhookError('DOCUMENT_INVALID')
        if (id === 'failed') throw new Error('not yet')
        return gate.opened
      })
      const at = (seconds: number) => new Date(Date.UTC(2026, 7, 1, 0, 0, seconds))
      await putAll(inbox, [stored('dead', { receivedAt: at(1) }), stored('failed', { receivedAt: at(3) })])
      const first = consume(inbox, process, { concurrency: 1, delayMs: () => 60_000 })
      await eventually(async () => expect(await inbox.statistics()).toMatchObject({ dead: 1, failed: 1 }))
      await putAll(inbox, [stored('running', { receivedAt: at(2) })])
      await eventually(() => expect(started).toContain('running'))
      await putAll(inbox, several(2, 'queued', { receivedAt: at(4) }))
      const busy = { queued: 2, running: 1, failed: 1, dead: 1, oldest: at(2) }
      await eventually(async () => expect(await inbox.statistics()).toEqual(busy))
      gate.open()
      await eventually(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      expect(await inbox.statistics()).toMatchObject({ failed: 1, dead: 1, oldest: at(3) })
      await first.stop()
    })
  })
}
