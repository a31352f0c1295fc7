import { PermanentError } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
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

export function testStoring(suite: InboxSuite): void {
  describe('what is stored', () => {
    it.runIf(suite.isDurable)('is there when the inbox is opened anew', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const before = await open()
      await putAll(before, several(3, 'kept'))
      await before.close()
      const inbox = await open()
      expect(await inbox.put(stored('kept-1'))).toBe('duplicate')
      const { process, ended } = recording()
      consume(inbox, process)
      await eventually(() => expect(new Set(ended)).toEqual(new Set(['kept-0', 'kept-1', 'kept-2'])))
    })

    it('is handed out as it was put in, byte for byte', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const body = Uint8Array.from({ length: 512 }, (_, at) => at % 256)
      const receivedAt = new Date('2026-08-01T10:20:30.456Z')
      const deliveries = [
        stored('0f'.repeat(32), { body, receivedAt, group: 'orders/NrlYhpzLKA' }),
        stored('part of a buffer', { body: body.subarray(200, 300), receivedAt }),
        stored('nothing', { body: new Uint8Array(), receivedAt }),
        stored('17', { topic: 'things.happened:twice', receivedAt }),
        stored("a:b/c?d='e'\"\\%{f} é😀", { topic: 'größe.änderung', receivedAt, group: 'x:y/ü' }),
      ]
      await putAll(inbox, deliveries)
      const handled: StoredDelivery[] = []
      consume(inbox, async (delivery) => void handled.push(delivery))
      await eventually(() => expect(handled).toHaveLength(deliveries.length))
      const byId = new Map(handled.map((delivery) => [delivery.id, delivery]))
      for (const delivery of deliveries) {
        const { body: bytes, ...rest } = byId.get(delivery.id) ?? stored('none')
        expect({ ...rest, body: [...bytes] }).toEqual({ ...delivery, body: [...delivery.body] })
      }
    })

    it('may be a megabyte', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const body = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => (at * 31) % 251)
      await putAll(inbox, [stored('large', { body })])
      let equal: boolean | undefined
      consume(inbox, async (delivery) => {
        equal = Buffer.compare(delivery.body, body) === 0
      })
      await eventually(() => expect(equal).toBe(true))
    })

    it('is found by a consumer that was there before', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const [receiving, working] = [await open(), await open()]
      const { process, ended } = recording()
      consume(working, process)
      await putAll(receiving, several(2, 'early'))
      await eventually(() => expect(ended).toHaveLength(2))
      await putAll(receiving, several(2, 'late'))
      await eventually(() => expect(ended).toHaveLength(4))
    })

    it('is stored once when it comes many times at once', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const results = await Promise.all(Array.from({ length: 20 }, (_, at) => inbox.put(stored(`twin-${at % 4}`))))
      expect(results.filter((result) => result === 'stored')).toHaveLength(4)
      expect(results.filter((result) => result === 'duplicate')).toHaveLength(16)
      const { process, ended } = recording()
      consume(inbox, process)
      await eventually(() => expect([...ended].sort()).toEqual(['twin-0', 'twin-1', 'twin-2', 'twin-3']))
    })
  })

  describe('a delivery that comes again', () => {
    it('is a duplicate while the first waits, runs, and when it is handled', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const again = () => inbox.put(stored('one'))
      await putAll(inbox, [stored('one')])
      expect(await again()).toBe('duplicate')
      const gate = createGate()
      const { process, started, ended } = recording(() => gate.opened)
      consume(inbox, process)
      await eventually(() => expect(started).toHaveLength(1))
      expect(await again()).toBe('duplicate')
      gate.open()
      await eventually(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      expect(await again()).toBe('duplicate')
      await putAll(inbox, [stored('other')])
      await eventually(() => expect(ended).toEqual(['one', 'other']))
    })

    it('is a duplicate while the first waits for its next attempt', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [stored('one')])
      consume(inbox, () => Promise.reject(new Error('not now')), { delayMs: () => 60_000 })
      await eventually(async () => expect(await inbox.statistics()).toMatchObject({ failed: 1 }))
      expect(await inbox.put(stored('one'))).toBe('duplicate')
    })

    it('is a duplicate of one that was given up, and of one that was discarded', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [stored('one')])
      const { process, started } = recording(() => Promise.reject(new PermanentError('no use')))
      consume(inbox, process)
      await eventually(async () => expect(await deadLettersOf(inbox)).toHaveLength(1))
      expect(await inbox.put(stored('one'))).toBe('duplicate')
      expect(await inbox.deadLetters.discard('one')).toBe(1)
      expect(await inbox.put(stored('one'))).toBe('duplicate')
      expect(started).toEqual(['one'])
    })

    it('is stored when the first was handled longer ago than the retention window', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open({ retentionMs: 1000 })
      const { process, ended } = recording()
      consume(inbox, process)
      await putAll(inbox, [stored('one')])
      await eventually(() => expect(ended).toEqual(['one']))
      expect(await inbox.put(stored('one'))).toBe('duplicate')
      await eventually(async () => {
        await inbox.put(stored(`other-${Math.random()}`))
        expect(await inbox.put(stored('one'))).toBe('stored')
      })
      await eventually(() => expect(ended.filter((id) => id === 'one')).toHaveLength(2))
    })
  })

  describe('an inbox that is full', () => {
    it('stores nothing more until there is room, and still knows what it has', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open({ maxQueued: 3 })
      await putAll(inbox, several(3, 'first'))
      expect(await inbox.put(stored('more'))).toBe('full')
      expect(await inbox.put(stored('first-1'))).toBe('duplicate')
      const { process, ended } = recording()
      consume(inbox, process)
      await eventually(async () => expect(await inbox.put(stored('more'))).toBe('stored'))
      await eventually(() => expect(ended).toContain('more'))
    })

    it('has room for others when some were given up', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open({ maxQueued: 2 })
      await putAll(inbox, several(2, 'bad'))
      consume(inbox, () => Promise.reject(new PermanentError('no use')))
      await eventually(async () => expect(await deadLettersOf(inbox)).toHaveLength(2))
      expect(await inbox.put(stored('good'))).toBe('stored')
    })
  })
}
