import { setTimeout as sleep } from 'node:timers/promises'
import { type Inbox, PermanentError, WebhookError } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { describe, expect, it } from 'vitest'
import {
  createScene,
  deadLettersOf,
  type InboxSuite,
  putAll,
  recording,
  type Scene,
  several,
  stored,
} from './harness.ts'

async function kill(
  { consume, eventually }: Scene,
  inbox: Inbox,
  deliveries: readonly StoredDelivery[],
  error: Error = new PermanentError('no use'),
): Promise<void> {
  const { dead } = await inbox.statistics()
  await putAll(inbox, deliveries)
  const consumer = consume(inbox, () => Promise.reject(error), { attempts: 1 })
  await eventually(async () => expect((await inbox.statistics()).dead).toBe(dead + deliveries.length))
  await consumer.stop()
}

const idsOf = (letters: readonly { readonly id: string }[]) => letters.map(({ id }) => id)

export function testDeadLetters(suite: InboxSuite): void {
  describe('a delivery that cannot be helped', () => {
    it.each([
      [new PermanentError('The warehouse does not know it.'), 'PERMANENT', 'The warehouse does not know it.'],
      [new WebhookError('DOCUMENT_INVALID'), 'DOCUMENT_INVALID', new WebhookError('DOCUMENT_INVALID').message],
      [new WebhookError('INCLUDE_MISSING'), 'INCLUDE_MISSING', new WebhookError('INCLUDE_MISSING').message],
    ])('becomes a dead letter at once: %s', async (error, code, message) => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      const { process, started } = recording(() => Promise.reject(error))
      const delivery = stored('bad')
      const before = Date.now()
      await putAll(inbox, [delivery])
      consume(inbox, process, { attempts: 5 })
      await eventually(async () => expect(await deadLettersOf(inbox)).toHaveLength(1))
      const [letter] = await deadLettersOf(inbox)
      const { failedAt, ...rest } = letter ?? { failedAt: new Date(0) }
      const { id, topic, receivedAt } = delivery
      expect(rest).toEqual({ id, topic, receivedAt, attempts: 1, error: { code, message } })
      expect(failedAt.getTime()).toBeGreaterThanOrEqual(before - 50)
      expect(failedAt.getTime()).toBeLessThanOrEqual(Date.now() + 50)
      expect(started).toEqual(['bad'])
    })
  })

  describe('dead letters', () => {
    it('are listed oldest first, all of them or those that suit a filter', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [stored('a')])
      await sleep(20)
      await kill(scene, inbox, [stored('b', { topic: 'orders.cancel' })], new WebhookError('DOCUMENT_INVALID'))
      await sleep(20)
      await kill(scene, inbox, [stored('c', { topic: 'orders.cancel' })])
      const letters = await deadLettersOf(inbox)
      expect(idsOf(letters)).toEqual(['a', 'b', 'c'])
      const at = letters[1]?.failedAt ?? new Date(0)
      const listed = async (...filter: Parameters<Inbox['deadLetters']['list']>) =>
        idsOf(await deadLettersOf(inbox, ...filter))
      expect(await listed({})).toEqual(['a', 'b', 'c'])
      expect(await listed({ topic: 'orders.cancel' })).toEqual(['b', 'c'])
      expect(await listed({ code: 'PERMANENT' })).toEqual(['a', 'c'])
      expect(await listed({ topic: 'orders.cancel', code: 'PERMANENT' })).toEqual(['c'])
      expect(await listed({ failedSince: at })).toEqual(['b', 'c'])
      expect(await listed({ failedUntil: at })).toEqual(['a', 'b'])
      expect(await listed({ failedSince: at, failedUntil: at })).toEqual(['b'])
      expect(await listed({ topic: 'customers.create' })).toEqual([])
    })

    it('are listed, retried and discarded however many there are', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, several(250, 'bad'))
      expect(new Set(idsOf(await deadLettersOf(inbox))).size).toBe(250)
      expect(await inbox.deadLetters.retry({})).toBe(250)
      expect(await inbox.statistics()).toMatchObject({ queued: 250, dead: 0 })
      const { process } = recording(() => Promise.reject(new PermanentError('no use')))
      scene.consume(inbox, process)
      await scene.eventually(async () => expect((await inbox.statistics()).dead).toBe(250))
      expect(await inbox.deadLetters.discard({})).toBe(250)
      expect(await deadLettersOf(inbox)).toEqual([])
    })

    it('are got with the delivery, byte for byte', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const body = Uint8Array.from({ length: 300 }, (_, at) => at % 256)
      const delivery = stored('bad', { body, group: 'orders/A', receivedAt: new Date('2026-08-01T10:20:30.456Z') })
      await kill(scene, inbox, [delivery])
      const [listed] = await deadLettersOf(inbox)
      const { delivery: got, ...letter } = (await inbox.deadLetters.get('bad')) ?? {}
      expect(letter).toEqual(listed)
      expect({ ...got, body: [...(got?.body ?? [])] }).toEqual({ ...delivery, body: [...body] })
    })

    it('are retried one by one, at the end and with all their attempts', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [stored('bad'), stored('worse')])
      await putAll(inbox, [stored('before')])
      expect(await inbox.deadLetters.retry('bad')).toBe(1)
      expect(await inbox.statistics()).toMatchObject({ queued: 2, dead: 1 })
      const attempts: string[] = []
      scene.consume(
        inbox,
        async ({ id }, { number }) => {
          attempts.push(`${id} ${number}`)
          if (id === 'bad' && number === 1) throw new Error('not yet')
        },
        { concurrency: 1, attempts: 2 },
      )
      await scene.eventually(() => expect(attempts).toEqual(['before 1', 'bad 1', 'bad 2']))
      await scene.eventually(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      expect(idsOf(await deadLettersOf(inbox))).toEqual(['worse'])
      expect(await inbox.deadLetters.get('bad')).toBeUndefined()
    })

    it('are retried and discarded by a filter', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [stored('a'), stored('b', { topic: 'orders.cancel' })])
      await kill(scene, inbox, [stored('c')], new WebhookError('DOCUMENT_INVALID'))
      expect(await inbox.deadLetters.discard({ code: 'DOCUMENT_INVALID' })).toBe(1)
      expect(await inbox.deadLetters.retry({ topic: 'orders.cancel' })).toBe(1)
      expect(idsOf(await deadLettersOf(inbox))).toEqual(['a'])
      expect(await inbox.statistics()).toMatchObject({ queued: 1, dead: 1 })
    })

    it('are retried once each, even if they die again at once', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { process, started } = recording(() => Promise.reject(new PermanentError('no use')))
      scene.consume(inbox, process)
      await putAll(inbox, several(5, 'bad'))
      await scene.eventually(async () => expect((await inbox.statistics()).dead).toBe(5))
      await sleep(5)
      expect(await inbox.deadLetters.retry({})).toBe(5)
      await scene.eventually(async () => expect((await inbox.statistics()).dead).toBe(5))
      expect(started).toHaveLength(10)
    })

    it('are none of what is waiting, was handled, or was never there', async () => {
      const { open, consume, eventually } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [stored('handled')])
      const consumer = consume(inbox, async () => {})
      await eventually(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      await consumer.stop()
      await putAll(inbox, [stored('waiting')])
      for (const id of ['handled', 'waiting', 'never there']) {
        expect(await inbox.deadLetters.get(id)).toBeUndefined()
        expect(await inbox.deadLetters.retry(id)).toBe(0)
        expect(await inbox.deadLetters.discard(id)).toBe(0)
      }
      expect(await inbox.deadLetters.retry({})).toBe(0)
      expect(await inbox.statistics()).toMatchObject({ queued: 1, dead: 0 })
    })

    it.runIf(suite.isDurable)('are there when the inbox is opened anew', async () => {
      const scene = await createScene(suite)
      const before = await scene.open()
      await kill(scene, before, [stored('bad')])
      const letters = await deadLettersOf(before)
      await before.close()
      expect(await deadLettersOf(await scene.open())).toEqual(letters)
    })
  })
}
