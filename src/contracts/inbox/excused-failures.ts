import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, WebhookError } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { recordingLogger } from '../helpers.ts'
import { createRecording, createScene, createStored, type InboxSuite, listDeadLetters, putAll } from './harness.ts'

/** Fails with each of the codes, one for each attempt, then succeeds. */
function failing(...codes: readonly (ConstructorParameters<typeof WebhookError>[0] | 'a bug')[]) {
  const left = [...codes]
  return () => {
    const code = left.shift()
    if (code) throw code === 'a bug' ? new Error('a bug') : new WebhookError(code)
  }
}

export function testExcusedFailures(suite: InboxSuite): void {
  describe('a failure that says nothing about the delivery', () => {
    it('does not count as an attempt', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [createStored('one')])
      const numbers: number[] = []
      const waited: number[] = []
      const fail = failing('IN_PROGRESS', 'STORE_UNAVAILABLE', 'OVERLOADED', 'a bug', 'IN_PROGRESS', 'a bug')
      const { process, started } = createRecording((_, { number }) => {
        numbers.push(number)
        return fail()
      })
      const delayMs = (attempt: number) => {
        waited.push(attempt)
        return 20
      }
      consume(inbox, process, { attempts: 2, delayMs })
      await waitFor(async () =>
        expect(await listDeadLetters(inbox)).toMatchObject([{ attempts: 2, error: { code: 'INTERNAL_ERROR' } }]),
      )
      expect(started).toHaveLength(6)
      expect(numbers).toEqual([1, 1, 1, 1, 2, 2])
      expect(waited).toEqual([1, 1, 1, 1, 2])
    })

    it('delays the delivery, and the others of its group with it', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const group = 'orders/A'
      await putAll(inbox, [
        createStored('first', { group }),
        createStored('second', { group }),
        createStored('stranger'),
      ])
      const fail = failing('IN_PROGRESS')
      const begun: number[] = []
      const { process, ended } = createRecording(({ id }) => {
        if (id !== 'first') return
        begun.push(performance.now())
        fail()
      })
      consume(inbox, process, { attempts: 1, delayMs: () => 300 })
      await waitFor(() => expect(ended).toEqual(['stranger', 'first', 'second']))
      const [first = 0, second = 0] = begun
      expect(second - first).toBeGreaterThan(290)
    })

    it('returns the delivery to other workers at once if the receiver is closed', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const [closing, working] = [await open(), await open()]
      const receiver = createReceiver({ secrets: () => undefined, logger: recordingLogger().logger })
      await receiver.close()
      const refused = createRecording(receiver.handleStored)
      consume(closing, refused.process, { concurrency: 1, attempts: 1, delayMs: () => 60_000 })
      await putAll(closing, [createStored('one')])
      await waitFor(() => expect(refused.started).toEqual(['one']))
      await sleep(200)
      expect(refused.started).toEqual(['one'])
      const attempts: string[] = []
      consume(working, async ({ id }, { number }) => void attempts.push(`${number} ${id}`))
      await waitFor(() => expect(attempts).toEqual(['1 one']))
    })
  })
}
