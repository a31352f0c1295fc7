import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError } from 'hooklayer'
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

export function testOrder(suite: InboxSuite): void {
  describe('what is ready', () => {
    it('is handed out oldest first', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const deliveries = several(12, 'in-order')
      await putAll(inbox, deliveries)
      const { process, started } = recording()
      consume(inbox, process, { concurrency: 1 })
      await eventually(() => expect(started).toHaveLength(12))
      expect(started).toEqual(deliveries.map(({ id }) => id))
    })
  })

  describe('deliveries of one group', () => {
    it('are handed out one after another in their order, whoever consumes, even if some have to be tried again', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const [one, other] = [await open(), await open()]
      const groups = ['orders/A', 'orders/B', 'orders/C']
      const { process, ended, peak } = recording(async ({ id }, { number }) => {
        await sleep(id.length % 4)
        if (/-[05]$/.test(id) && number === 1) throw new Error('not yet')
      })
      consume(one, process)
      consume(other, process)
      for (let at = 0; at < 8; at += 1) {
        await putAll(
          one,
          groups.map((group) => stored(`${group}-${at}`, { group })),
        )
      }
      await eventually(() => expect(ended).toHaveLength(24))
      for (const group of groups) {
        const order = ended.filter((id) => id.startsWith(group))
        expect(order).toEqual(several(8, group).map(({ id }) => id))
        expect(peak.get(group)).toBe(1)
      }
    })

    it('wait for an earlier one that waits for its next attempt, and others do not', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const isMended = createGate()
      let mended = false
      isMended.opened.then(() => {
        mended = true
      })
      const { process, started, ended } = recording(({ id }) => {
        if (id === 'first' && !mended) throw new Error('not yet')
      })
      await putAll(inbox, [stored('first', { group: 'orders/A' }), stored('second', { group: 'orders/A' })])
      await putAll(inbox, [stored('apart', { group: 'orders/B' }), stored('alone')])
      consume(inbox, process, { attempts: 1000, delayMs: () => 100 })
      await eventually(() => expect(started.filter((id) => id === 'first').length).toBeGreaterThan(1))
      await eventually(() => expect(new Set(ended)).toEqual(new Set(['apart', 'alone'])))
      expect(started).not.toContain('second')
      isMended.open()
      await eventually(() => expect(ended.slice(2)).toEqual(['first', 'second']))
    })

    it('do not wait for one that was given up', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const { process, ended } = recording(({ id }) => {
        if (id === 'first') throw new PermanentError('no use')
      })
      await putAll(inbox, [stored('first', { group: 'orders/A' }), stored('second', { group: 'orders/A' })])
      consume(inbox, process)
      await eventually(() => expect(ended).toEqual(['second']))
      expect(await deadLettersOf(inbox)).toMatchObject([{ id: 'first' }])
    })

    it('go on where they were when a consumer had to be stopped', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, several(3, 'step', { group: 'orders/A' }))
      const never = recording(() => new Promise(() => {}))
      const stuck = consume(inbox, never.process)
      await eventually(() => expect(never.started).toEqual(['step-0']))
      await stuck.stop({ timeoutMs: 10 })
      const { process, started } = recording()
      consume(inbox, process)
      await eventually(() => expect(started).toEqual(['step-0', 'step-1', 'step-2']))
      expect(never.started).toEqual(['step-0'])
    })
  })
}
