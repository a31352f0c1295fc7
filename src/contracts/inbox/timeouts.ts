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

export function testTimeouts(suite: InboxSuite): void {
  describe('handlers that hang', () => {
    it('do not stop the worker, however many they are', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const aborted: string[] = []
      const warnings: string[] = []
      const { process, ended } = createRecording(async ({ id }, { signal }) => {
        if (!id.startsWith('hanging')) return
        signal.addEventListener('abort', () => aborted.push(`${id}: ${signal.reason.code}`))
        await gate.opened
      })
      await putAll(inbox, createSeveral(4, 'hanging'))
      consume(inbox, process, {
        attemptTimeoutMs: () => 200,
        onWarning: (message, topic) => warnings.push(`${topic}: ${message}`),
      })
      await putAll(inbox, createSeveral(10, 'good'))
      await waitFor(() => expect(ended).toHaveLength(10))
      // The good ones begin when the first of the four is aborted.
      const all = createSeveral(4, 'hanging').map(({ id }) => `${id}: DEADLINE_EXCEEDED`)
      await waitFor(() => expect(aborted.sort()).toEqual(all))
      expect(warnings.filter((warning) => warning.includes('longer'))).toEqual(
        Array.from(
          { length: 4 },
          () => 'orders.place: An attempt takes longer than 100 ms. It is aborted after 200 ms.',
        ),
      )
      gate.open()
      await waitFor(() => expect(ended).toHaveLength(14))
    })

    it('keep their delivery and their group until they have ended, and then it is retried', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const gate = createGate()
      const group = 'orders/A'
      const attempts: string[] = []
      const { process, peak } = createRecording(async ({ id }, { number, signal }) => {
        attempts.push(`${id} ${number}`)
        if (attempts.length > 1) return
        await gate.opened
        throw signal.reason
      })
      await putAll(inbox, [createStored('first', { group }), createStored('second', { group }), createStored('other')])
      consume(inbox, process, { concurrency: 1, attemptTimeoutMs: () => 100 })
      await waitFor(() => expect(attempts).toEqual(['first 1', 'other 1']))
      gate.open()
      await waitFor(() => expect(attempts).toEqual(['first 1', 'other 1', 'first 2', 'second 1']))
      expect(peak.get(group)).toBe(1)
    })
  })
}
