import { PermanentError } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
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

export function testStoring(suite: InboxSuite): void {
  describe('a stored delivery', () => {
    itUnless(suite.isDurable ? undefined : 'the inbox is in memory')(
      'is kept when the inbox is opened again',
      async () => {
        const { open, consume, waitFor } = await createScene(suite)
        const before = await open()
        await putAll(before, createSeveral(3, 'kept'))
        await before.close()
        const inbox = await open()
        expect(await inbox.put(createStored('kept-1'))).toBe('duplicate')
        const { process, ended } = createRecording()
        consume(inbox, process)
        await waitFor(() => expect(new Set(ended)).toEqual(new Set(['kept-0', 'kept-1', 'kept-2'])))
      },
    )

    it('is handled exactly as it was stored, byte for byte', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const body = Uint8Array.from({ length: 512 }, (_, at) => at % 256)
      const receivedAt = new Date('2026-08-01T10:20:30.456Z')
      const deliveries = [
        createStored('0f'.repeat(32), { body, receivedAt, group: 'orders/NrlYhpzLKA' }),
        createStored('part of a buffer', { body: body.subarray(200, 300), receivedAt }),
        createStored('nothing', { body: new Uint8Array(), receivedAt }),
        createStored('17', { topic: 'things.happened:twice', receivedAt }),
        createStored("a:b/c?d='e'\"\\%{f} é😀", { topic: 'größe.änderung', receivedAt, group: 'x:y/ü' }),
      ]
      await putAll(inbox, deliveries)
      const handled: StoredDelivery[] = []
      consume(inbox, async (delivery) => void handled.push(delivery))
      await waitFor(() => expect(handled).toHaveLength(deliveries.length))
      const byId = new Map(handled.map((delivery) => [delivery.id, delivery]))
      for (const delivery of deliveries) {
        const { body: bytes, ...rest } = byId.get(delivery.id) ?? createStored('none')
        expect({ ...rest, body: [...bytes] }).toEqual({ ...delivery, body: [...delivery.body] })
      }
    })

    it('may have a megabyte', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const body = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => (at * 31) % 251)
      await putAll(inbox, [createStored('large', { body })])
      let equal: boolean | undefined
      consume(inbox, async (delivery) => {
        equal = Buffer.compare(delivery.body, body) === 0
      })
      await waitFor(() => expect(equal).toBe(true))
    })

    it('is found by a worker that was started before', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const [receiving, working] = [await open(), await open()]
      const { process, ended } = createRecording()
      consume(working, process)
      await putAll(receiving, createSeveral(2, 'early'))
      await waitFor(() => expect(ended).toHaveLength(2))
      await putAll(receiving, createSeveral(2, 'late'))
      await waitFor(() => expect(ended).toHaveLength(4))
    })

    it('is stored once when it is sent many times at once', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, at) => inbox.put(createStored(`twin-${at % 4}`))),
      )
      expect(results.filter((result) => result === 'stored')).toHaveLength(4)
      expect(results.filter((result) => result === 'duplicate')).toHaveLength(16)
      const { process, ended } = createRecording()
      consume(inbox, process)
      await waitFor(() => expect([...ended].sort()).toEqual(['twin-0', 'twin-1', 'twin-2', 'twin-3']))
    })
  })

  describe('a delivery that is sent again', () => {
    it('is a duplicate while the first waits, runs, and when it is handled', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const again = () => inbox.put(createStored('one'))
      await putAll(inbox, [createStored('one')])
      expect(await again()).toBe('duplicate')
      const gate = createGate()
      const { process, started, ended } = createRecording(() => gate.opened)
      consume(inbox, process)
      await waitFor(() => expect(started).toHaveLength(1))
      expect(await again()).toBe('duplicate')
      gate.open()
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      expect(await again()).toBe('duplicate')
      await putAll(inbox, [createStored('other')])
      await waitFor(() => expect(ended).toEqual(['one', 'other']))
    })

    it('is a duplicate while the first waits for its next attempt', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [createStored('one')])
      consume(inbox, () => Promise.reject(new Error('not now')), { delayMs: () => 60_000 })
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ failed: 1 }))
      expect(await inbox.put(createStored('one'))).toBe('duplicate')
    })

    it('is a duplicate of a dead letter, and of one that was discarded', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [createStored('one')])
      const { process, started } = createRecording(() => Promise.reject(new PermanentError('no use')))
      consume(inbox, process)
      await waitFor(async () => expect(await listDeadLetters(inbox)).toHaveLength(1))
      expect(await inbox.put(createStored('one'))).toBe('duplicate')
      expect(await inbox.deadLetters.discard('one')).toBe(1)
      expect(await inbox.put(createStored('one'))).toBe('duplicate')
      expect(started).toEqual(['one'])
    })

    it('is stored when the first was handled longer ago than the retention window', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open({ retentionMs: 1000 })
      const { process, ended } = createRecording()
      consume(inbox, process)
      await putAll(inbox, [createStored('one')])
      await waitFor(() => expect(ended).toEqual(['one']))
      expect(await inbox.put(createStored('one'))).toBe('duplicate')
      await waitFor(async () => {
        await inbox.put(createStored(`other-${Math.random()}`))
        expect(await inbox.put(createStored('one'))).toBe('stored')
      })
      await waitFor(() => expect(ended.filter((id) => id === 'one')).toHaveLength(2))
    })
  })

  describe('an inbox that is full', () => {
    it('stores nothing more until there is room, and still recognizes duplicates', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open({ maxQueued: 3 })
      await putAll(inbox, createSeveral(3, 'first'))
      expect(await inbox.put(createStored('more'))).toBe('full')
      expect(await inbox.put(createStored('first-1'))).toBe('duplicate')
      const { process, ended } = createRecording()
      consume(inbox, process)
      await waitFor(async () => expect(await inbox.put(createStored('more'))).toBe('stored'))
      await waitFor(() => expect(ended).toContain('more'))
    })

    it('has room for others when some became dead letters', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open({ maxQueued: 2 })
      await putAll(inbox, createSeveral(2, 'bad'))
      consume(inbox, () => Promise.reject(new PermanentError('no use')))
      await waitFor(async () => expect(await listDeadLetters(inbox)).toHaveLength(2))
      expect(await inbox.put(createStored('good'))).toBe('stored')
    })
  })
}
