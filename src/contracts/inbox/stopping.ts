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
  putAll,
} from './harness.ts'

export function testStopping(suite: InboxSuite): void {
  describe('a worker that is stopped', () => {
    it('waits for the running handlers, and leases nothing more', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const { process, started, ended } = createRecording(() => gate.opened)
      const consumer = consume(inbox, process, { concurrency: 2 })
      await putAll(inbox, createSeveral(5, 'work'))
      await waitFor(() => expect(started).toHaveLength(2))
      let isStopped = false
      const stopped = consumer.stop().then(() => {
        isStopped = true
      })
      await sleep(100)
      expect(isStopped).toBe(false)
      gate.open()
      await stopped
      expect(ended).toHaveLength(2)
      await putAll(inbox, [createStored('later')])
      await sleep(400)
      expect(started).toHaveLength(2)
      expect(await inbox.statistics()).toMatchObject({ queued: 4, running: 0, failed: 0, dead: 0 })
    })

    it('does not wait longer than its time-out, and leaves the rest to another worker at once', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const signals: AbortSignal[] = []
      const stuck = createRecording((_, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      })
      const consumer = consume(inbox, stuck.process, { concurrency: 2 })
      await putAll(inbox, createSeveral(3, 'work'))
      await waitFor(() => expect(signals).toHaveLength(2))
      expect(signals.some(({ aborted }) => aborted)).toBe(false)
      const before = performance.now()
      await consumer.stop({ timeoutMs: 50 })
      expect(performance.now() - before).toBeGreaterThan(45)
      expect(signals.every(({ aborted }) => aborted)).toBe(true)
      const { process, ended } = createRecording()
      consume(inbox, process)
      await waitFor(() => expect([...ended].sort()).toEqual(['work-0', 'work-1', 'work-2']))
      expect(stuck.started).toHaveLength(2)
    })

    it('ignores the results of the handlers that it has aborted', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const { process: fail, started } = createRecording(
        (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new PermanentError('given up')))
          }),
      )
      const consumer = consume(inbox, fail)
      await putAll(inbox, [createStored('work')])
      await waitFor(() => expect(started).toHaveLength(1))
      await consumer.stop({ timeoutMs: 10 })
      const { process, ended } = createRecording()
      consume(inbox, process)
      await waitFor(() => expect(ended).toEqual(['work']))
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ running: 0, dead: 0 }))
    })

    it('returns at once what it is leasing at that moment', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, createSeveral(3, 'work'))
      const { process, started } = createRecording()
      for (let times = 0; times < 3; times += 1) {
        await consume(inbox, process, { concurrency: 1 }).stop({ timeoutMs: 0 })
        expect(await inbox.statistics()).toMatchObject({ running: 0 })
      }
      expect(started).toEqual([])
      const attempts: string[] = []
      consume(inbox, async ({ id }, { number }) => void attempts.push(`${number} ${id}`))
      await waitFor(() => expect(attempts.sort()).toEqual(['1 work-0', '1 work-1', '1 work-2']))
    })

    it('gives back what comes next, in the order in which it was stored', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const deliveries = createSeveral(8, 'work')
      await putAll(inbox, deliveries)
      const stuck = createRecording(() => new Promise(() => {}))
      const consumer = consume(inbox, stuck.process, { concurrency: 4 })
      await waitFor(() => expect(stuck.started).toHaveLength(4))
      await consumer.stop({ timeoutMs: 0 })
      const { process, started } = createRecording()
      consume(inbox, process, { concurrency: 1 })
      await waitFor(() => expect(started).toEqual(deliveries.map(({ id }) => id)))
    })

    it('may be stopped while idle, and a second time', async () => {
      const { open, consume } = await createScene(suite)
      const inbox = await open()
      const { process, started } = createRecording()
      const consumer = consume(inbox, process)
      await consumer.stop()
      await consumer.stop({ timeoutMs: 0 })
      await putAll(inbox, [createStored('later')])
      await sleep(400)
      expect(started).toEqual([])
    })
  })

  describe('an inbox that is closed', () => {
    it('rejects and stores nothing', async () => {
      const { open } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [createStored('before')])
      await inbox.close()
      await expect(inbox.put(createStored('after'))).rejects.toThrow()
      await inbox.close()
    })
  })
}
