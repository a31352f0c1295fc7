import { describe, expect, it } from 'vitest'
import { rejection } from '../helpers.ts'
import {
  createGate,
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxSuite,
  putAll,
} from './harness.ts'
import { createStates, listAll, listIds, orderOf } from './listing.ts'

const NONE = { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0 }
const ADA = { type: 'customers', id: 'ada' }

export function testErasing(suite: InboxSuite): void {
  describe('erasing a resource', () => {
    it('deletes what waits, what has failed and what is dead, and says what is running', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { end } = await createStates(scene, inbox)
      await putAll(inbox, [createStored('other')])
      expect(await inbox.erase(ADA)).toEqual({ queued: 1, running: 1, failed: 1, unhandled: 1, dead: 1 })
      expect(await listIds(inbox, {})).toEqual(['other', 'running'])
      expect(await inbox.statistics()).toMatchObject({ queued: 1, running: 1, failed: 0, unhandled: 0, dead: 0 })
      await end()
      await scene.waitFor(async () => expect(await listIds(inbox, {})).toEqual(['other']))
      expect(await inbox.erase(ADA)).toEqual(NONE)
    })

    it('keeps the ids, so that a copy that is sent again does not run', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { end } = await createStates(scene, inbox)
      await inbox.erase(ADA)
      await end()
      const { process, started } = createRecording()
      scene.consume(inbox, process)
      for (const id of ['queued', 'failed', 'unhandled', 'dead', 'running']) {
        expect(await inbox.put(createStored(id, { body: orderOf(id, '1') }))).toBe('duplicate')
      }
      await putAll(inbox, [createStored('last')])
      await scene.waitFor(() => expect(started).toEqual(['last']))
      expect(await inbox.deadLetters.retry('all')).toBe(0)
    })

    it('leaves alone what only has the same id, or is of the same type', async () => {
      const inbox = await (await createScene(suite)).open()
      await putAll(inbox, [createStored('one', { body: orderOf('one', '1') })])
      expect(await inbox.erase({ type: 'customers', id: 'one' })).toEqual(NONE)
      expect(await inbox.erase({ type: 'orders', id: 'two' })).toEqual(NONE)
      expect(await inbox.erase({ type: 'orders', id: 'on' })).toEqual(NONE)
      expect(await listAll(inbox)).toHaveLength(1)
      expect(await inbox.erase({ type: 'orders', id: 'one', number: '7' })).toEqual({ ...NONE, queued: 1 })
    })

    it('does not hold up the later deliveries of a group, nor the order of those', { timeout: 90_000 }, async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const group = 'orders/A'
      const body = (id: string) => ({ group, body: orderOf(id, '1') })
      await putAll(inbox, [
        createStored('first', body('erased')),
        createStored('second', body('kept')),
        createStored('third', body('erased')),
        createStored('fourth', body('kept')),
      ])
      expect(await inbox.erase({ type: 'orders', id: 'erased' })).toEqual({ ...NONE, queued: 2 })
      const { process, ended } = createRecording()
      scene.consume(inbox, process)
      await scene.waitFor(() => expect(ended).toEqual(['second', 'fourth']))
    })

    it('of a delivery that has failed lets the next one of its group start', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const group = 'orders/A'
      const names = ['erased', 'second', 'erased too', 'fourth']
      const gate = createGate()
      const { process, started, ended } = createRecording(({ id }) => {
        if (id === 'erased') throw new Error('not yet')
        return gate.opened
      })
      scene.consume(inbox, process, { delayMs: () => 3_600_000 })
      await putAll(
        inbox,
        names.map((id) => createStored(id, { group, body: orderOf(id.split(' ')[0] ?? '', '1') })),
      )
      await scene.waitFor(async () => expect(await inbox.statistics()).toMatchObject({ running: 0 }))
      await scene.waitFor(() => expect(started).toEqual(['erased']))
      const waiting = ['second', 'fourth']
      await scene.waitFor(async () => {
        expect(await inbox.erase({ type: 'orders', id: 'erased' })).not.toMatchObject({ running: 1 })
        expect(await listIds(inbox, { resource: { type: 'orders', id: 'erased' } })).toEqual([])
      })
      // Otherwise the third one might have begun before it was erased.
      gate.open()
      await scene.waitFor(() => expect(ended).toEqual(waiting))
    })

    it('makes room for others', async () => {
      const inbox = await (await createScene(suite)).open({ maxQueued: 2 })
      await putAll(inbox, createSeveral(2, 'full', { body: orderOf('full', '1') }))
      expect(await inbox.put(createStored('more'))).toBe('full')
      expect(await inbox.erase(ADA)).toEqual({ ...NONE, queued: 2 })
      expect(await inbox.put(createStored('more'))).toBe('stored')
    })

    it('erases hundreds', async () => {
      const inbox = await (await createScene(suite)).open()
      await Promise.all(createSeveral(700, 'ada', { body: orderOf('x', '1') }).map((delivery) => inbox.put(delivery)))
      await Promise.all(createSeveral(50, 'other').map((delivery) => inbox.put(delivery)))
      expect(await inbox.erase(ADA)).toEqual({ ...NONE, queued: 700 })
      expect(await inbox.statistics()).toMatchObject({ queued: 50 })
    })

    it('is refused without a type and an id', async () => {
      const inbox = await (await createScene(suite)).open()
      for (const resource of [
        undefined,
        null,
        'orders/x',
        {},
        { type: 'orders' },
        { id: 'x' },
        { type: 'orders', id: '' },
        { type: 'orders', id: 'x', topic: 'y' },
      ]) {
        expect(await rejection(inbox.erase(resource as never))).toBeInstanceOf(TypeError)
      }
    })
  })
}
