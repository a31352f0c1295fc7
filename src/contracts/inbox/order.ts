import { setTimeout as sleep } from 'node:timers/promises'
import { PermanentError } from 'hooklayer'
import { describe, expect, it } from 'vitest'
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

export function testOrder(suite: InboxSuite): void {
  describe('deliveries that are ready', () => {
    it('are handled oldest first', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const deliveries = createSeveral(12, 'in-order')
      await putAll(inbox, deliveries)
      const { process, started } = createRecording()
      consume(inbox, process, { concurrency: 1 })
      await waitFor(() => expect(started).toHaveLength(12))
      expect(started).toEqual(deliveries.map(({ id }) => id))
    })
  })

  describe('deliveries of one group', () => {
    it('are handled one after another in their order, by any worker, even if some are retried', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const [one, other] = [await open(), await open()]
      const groups = ['orders/A', 'orders/B', 'orders/C']
      const { process, ended, peak } = createRecording(async ({ id }, { number }) => {
        await sleep(id.length % 4)
        if (/-[05]$/.test(id) && number === 1) throw new Error('not yet')
      })
      consume(one, process)
      consume(other, process)
      for (let at = 0; at < 8; at += 1) {
        await putAll(
          one,
          groups.map((group) => createStored(`${group}-${at}`, { group })),
        )
      }
      await waitFor(() => expect(ended).toHaveLength(24))
      for (const group of groups) {
        const order = ended.filter((id) => id.startsWith(group))
        expect(order).toEqual(createSeveral(8, group).map(({ id }) => id))
        expect(peak.get(group)).toBe(1)
      }
    })

    it('wait for an earlier one that waits for its next attempt, and others do not', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const isFixed = createGate()
      let fixed = false
      isFixed.opened.then(() => {
        fixed = true
      })
      const { process, started, ended } = createRecording(({ id }) => {
        if (id === 'first' && !fixed) throw new Error('not yet')
      })
      await putAll(inbox, [createStored('first', { group: 'orders/A' }), createStored('second', { group: 'orders/A' })])
      await putAll(inbox, [createStored('apart', { group: 'orders/B' }), createStored('alone')])
      consume(inbox, process, { attempts: 1000, delayMs: () => 100 })
      await waitFor(() => expect(started.filter((id) => id === 'first').length).toBeGreaterThan(1))
      await waitFor(() => expect(new Set(ended)).toEqual(new Set(['apart', 'alone'])))
      expect(started).not.toContain('second')
      isFixed.open()
      await waitFor(() => expect(ended.slice(2)).toEqual(['first', 'second']))
    })

    it('do not wait for a dead letter', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const { process, ended } = createRecording(({ id }) => {
        if (id === 'first') throw new PermanentError('no use')
      })
      await putAll(inbox, [createStored('first', { group: 'orders/A' }), createStored('second', { group: 'orders/A' })])
      consume(inbox, process)
      await waitFor(() => expect(ended).toEqual(['second']))
      expect(await listDeadLetters(inbox)).toMatchObject([{ id: 'first' }])
    })

    it('continue in their order after a worker was stopped', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, createSeveral(3, 'step', { group: 'orders/A' }))
      const never = createRecording(() => new Promise(() => {}))
      const stuck = consume(inbox, never.process)
      await waitFor(() => expect(never.started).toEqual(['step-0']))
      await stuck.stop({ timeoutMs: 10 })
      const { process, started } = createRecording()
      consume(inbox, process)
      await waitFor(() => expect(started).toEqual(['step-0', 'step-1', 'step-2']))
      expect(never.started).toEqual(['step-0'])
    })
  })
}
