import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, type Inbox, PermanentError, WebhookError } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { describe, expect, it } from 'vitest'
import { itUnless, recordingLogger, rejection, thrownBy } from '../helpers.ts'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxSuite,
  listDeadLetters,
  putAll,
  type Scene,
} from './harness.ts'

async function kill(
  { consume, waitFor }: Scene,
  inbox: Inbox,
  deliveries: readonly StoredDelivery[],
  error: Error = new PermanentError('no use'),
): Promise<void> {
  const { dead } = await inbox.statistics()
  await putAll(inbox, deliveries)
  const { process, started } = createRecording(() => Promise.reject(error))
  const consumer = consume(inbox, process, { attempts: 1 })
  // Statistics are slow on some engines, so they are read after all attempts were made.
  await waitFor(() => expect(started).toHaveLength(deliveries.length))
  await waitFor(async () => expect((await inbox.statistics()).dead).toBe(dead + deliveries.length))
  await consumer.stop()
}

const toIds = (deadLetters: readonly { readonly id: string }[]) => deadLetters.map(({ id }) => id)

export function testDeadLetters(suite: InboxSuite): void {
  describe('a delivery whose error is permanent', () => {
    it.each([
      [new PermanentError('The warehouse does not know it.'), 'PERMANENT', 'The warehouse does not know it.'],
      [new WebhookError('DOCUMENT_INVALID'), 'DOCUMENT_INVALID', new WebhookError('DOCUMENT_INVALID').message],
      [new WebhookError('INCLUDE_MISSING'), 'INCLUDE_MISSING', new WebhookError('INCLUDE_MISSING').message],
    ])('becomes a dead letter at once: %s', async (error, code, message) => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const { process, started } = createRecording(() => Promise.reject(error))
      const delivery = createStored('bad')
      const before = Date.now()
      await putAll(inbox, [delivery])
      consume(inbox, process, { attempts: 5 })
      await waitFor(async () => expect(await listDeadLetters(inbox)).toHaveLength(1))
      const [deadLetter] = await listDeadLetters(inbox)
      const { failedAt, ...rest } = deadLetter ?? { failedAt: new Date(0) }
      const { id, topic, receivedAt } = delivery
      expect(rest).toEqual({ id, topic, receivedAt, attempts: 1, maxAttempts: 5, error: { code, message } })
      expect(failedAt.getTime()).toBeGreaterThanOrEqual(before - 50)
      expect(failedAt.getTime()).toBeLessThanOrEqual(Date.now() + 50)
      expect(started).toEqual(['bad'])
    })
  })

  describe('dead letters', () => {
    it('say for which resource it was, which handler failed, and why', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const body = { data: { type: 'orders', id: 'abc', attributes: { number: '1054', email: 'ada@example.com' } } }
      await putAll(inbox, [createStored('order', { body: Buffer.from(JSON.stringify(body)) })])
      const receiver = createReceiver({ secrets: () => undefined, logger: recordingLogger().logger })
      const cause = 'The ERP answered 422 for ada@example.com.'
      receiver.on('orders.place', { name: 'erp' }, () => Promise.reject(new Error(cause)))
      consume(inbox, receiver.handleStored, { attempts: 2, delayMs: () => 1 })
      const expected = {
        id: 'order',
        attempts: 2,
        resource: { type: 'orders', id: 'abc', number: '1054' },
        error: {
          code: 'HANDLER_FAILED',
          message: 'A handler failed.',
          handler: 'erp',
          cause: 'The ERP answered 422 for ….',
        },
      }
      await waitFor(async () => expect(await listDeadLetters(inbox)).toMatchObject([expected]))
      expect(await inbox.deadLetters.get('order')).toMatchObject(expected)
    })

    it('keep no more than 2,000 characters of a message, and cut no surrogate pair', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const text = `${'x'.repeat(1998)}😀${'y'.repeat(3_000_000)}`
      await kill(scene, inbox, [createStored('long')], new PermanentError(text))
      await kill(scene, inbox, [createStored('odd')], new PermanentError('CR \r LF \n ESC \u001b[2J'))
      const messages = (await listDeadLetters(inbox)).map(({ error }) => error.message)
      expect(messages).toEqual([`${'x'.repeat(1998)}…`, 'CR \r LF \n ESC \u001b[2J'])
    })

    it('are listed oldest first, all of them or those that match a filter', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [createStored('a')])
      await sleep(20)
      await kill(scene, inbox, [createStored('b', { topic: 'orders.cancel' })], new WebhookError('DOCUMENT_INVALID'))
      await sleep(20)
      await kill(scene, inbox, [createStored('c', { topic: 'orders.cancel' })])
      const deadLetters = await listDeadLetters(inbox)
      expect(toIds(deadLetters)).toEqual(['a', 'b', 'c'])
      const at = deadLetters[1]?.failedAt ?? new Date(0)
      const listed = async (...filter: Parameters<Inbox['deadLetters']['list']>) =>
        toIds(await listDeadLetters(inbox, ...filter))
      expect(await listed({})).toEqual(['a', 'b', 'c'])
      expect(await listed({ topic: 'orders.cancel' })).toEqual(['b', 'c'])
      expect(await listed({ code: 'PERMANENT' })).toEqual(['a', 'c'])
      expect(await listed({ topic: 'orders.cancel', code: 'PERMANENT' })).toEqual(['c'])
      expect(await listed({ failedSince: at })).toEqual(['b', 'c'])
      expect(await listed({ failedUntil: at })).toEqual(['a', 'b'])
      expect(await listed({ failedSince: at, failedUntil: at })).toEqual(['b'])
      expect(await listed({ topic: 'customers.create' })).toEqual([])
    })

    it('are listed, retried and discarded over many pages', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, createSeveral(250, 'bad'))
      expect(new Set(toIds(await listDeadLetters(inbox))).size).toBe(250)
      expect(await inbox.deadLetters.retry('all')).toBe(250)
      expect(await inbox.statistics()).toMatchObject({ queued: 250, dead: 0 })
      const { process, started } = createRecording(() => Promise.reject(new PermanentError('no use')))
      scene.consume(inbox, process)
      await scene.waitFor(() => expect(started).toHaveLength(250))
      await scene.waitFor(async () => expect((await inbox.statistics()).dead).toBe(250))
      expect(await inbox.deadLetters.discard('all')).toBe(250)
      expect(await listDeadLetters(inbox)).toEqual([])
    })

    it('are read with the delivery, byte for byte', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const body = Uint8Array.from({ length: 300 }, (_, at) => at % 256)
      const delivery = createStored('bad', {
        body,
        group: 'orders/A',
        receivedAt: new Date('2026-08-01T10:20:30.456Z'),
      })
      await kill(scene, inbox, [delivery])
      const [listed] = await listDeadLetters(inbox)
      const { delivery: got, ...deadLetter } = (await inbox.deadLetters.get('bad')) ?? {}
      expect(deadLetter).toEqual(listed)
      expect({ ...got, body: [...(got?.body ?? [])] }).toEqual({ ...delivery, body: [...body] })
    })

    it('reach a worker as they were stored, with signature and trace context', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const stored = createStored('whole', { group: 'orders/a', signature: 'signed', traceparent })
      const { id, topic, receivedAt, group, signature } = stored
      await putAll(inbox, [stored])
      const seen: StoredDelivery[] = []
      const failures: unknown[] = []
      const process = async (one: StoredDelivery) => {
        seen.push(one)
        if (seen.length === 1) throw new Error('down')
      }
      consume(inbox, process, { attempts: 1, onFailure: (failure) => failures.push(failure) })
      await waitFor(() => expect(failures).toHaveLength(1))
      expect(failures).toMatchObject([{ type: 'dead', topic: 'orders.place', attempt: 1, maxAttempts: 1 }])
      await inbox.deadLetters.retry('all')
      await waitFor(() => expect(seen).toHaveLength(2))
      for (const { body, ...others } of seen) {
        expect(others).toEqual({ id, topic, receivedAt, group, signature, traceparent })
        expect(Buffer.from(body)).toEqual(Buffer.from(stored.body))
      }
    })

    it('are retried one by one, at the end of the queue and with all their attempts', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [createStored('bad'), createStored('worse')])
      await putAll(inbox, [createStored('before')])
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
      await scene.waitFor(() => expect(attempts).toEqual(['before 1', 'bad 1', 'bad 2']))
      await scene.waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      expect(toIds(await listDeadLetters(inbox))).toEqual(['worse'])
      expect(await inbox.deadLetters.get('bad')).toBeUndefined()
    })

    it('are retried and discarded by a filter', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [createStored('a'), createStored('b', { topic: 'orders.cancel' })])
      await kill(scene, inbox, [createStored('c')], new WebhookError('DOCUMENT_INVALID'))
      expect(await inbox.deadLetters.discard({ code: 'DOCUMENT_INVALID' })).toBe(1)
      expect(await inbox.deadLetters.retry({ topic: 'orders.cancel' })).toBe(1)
      expect(toIds(await listDeadLetters(inbox))).toEqual(['a'])
      expect(await inbox.statistics()).toMatchObject({ queued: 1, dead: 1 })
    })

    it('are retried once each, even if they fail again at once', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { process, started } = createRecording(() => Promise.reject(new PermanentError('no use')))
      scene.consume(inbox, process)
      await putAll(inbox, createSeveral(5, 'bad'))
      await scene.waitFor(async () => expect((await inbox.statistics()).dead).toBe(5))
      await sleep(5)
      expect(await inbox.deadLetters.retry('all')).toBe(5)
      await scene.waitFor(async () => expect((await inbox.statistics()).dead).toBe(5))
      expect(started).toHaveLength(10)
    })

    it('are not retried or discarded by anything but an id, a filter with a field, or `all`', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await kill(scene, inbox, [createStored('bad')])
      for (const which of [
        { nosuch: 1 },
        { topic: 'orders.place', topics: ['orders.place'] },
        {},
        { topic: undefined },
        { topic: 7 },
        { topic: '' },
        { failedUntil: '2026-01-01' },
        { failedSince: new Date('no date') },
        ...[7, true, null, undefined, '', ['bad'], new Date()],
      ]) {
        expect(await rejection(inbox.deadLetters.retry(which as never))).toBeInstanceOf(TypeError)
        expect(await rejection(inbox.deadLetters.discard(which as never))).toBeInstanceOf(TypeError)
      }
      expect(await inbox.statistics()).toMatchObject({ queued: 0, dead: 1 })
    })

    it('are not listed by a filter with a mistake', async () => {
      const { list } = (await (await createScene(suite)).open()).deadLetters
      for (const filter of [{ nosuch: 1 }, { failedSince: '2026' }, 7]) {
        expect(thrownBy(() => list(filter as never))).toBeInstanceOf(TypeError)
      }
    })

    it('are not read by what is not text', async () => {
      const inbox = await (await createScene(suite)).open()
      for (const id of [true, 7, null, undefined, {}, ['bad'], 1n, '']) {
        expect(await rejection(inbox.deadLetters.get(id as never))).toBeInstanceOf(TypeError)
      }
    })

    it('do not include deliveries that are waiting, were handled or never existed', async () => {
      const { open, consume, waitFor } = await createScene(suite)
      const inbox = await open()
      await putAll(inbox, [createStored('handled')])
      const consumer = consume(inbox, async () => {})
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
      await consumer.stop()
      await putAll(inbox, [createStored('waiting')])
      for (const id of ['handled', 'waiting', 'never there']) {
        expect(await inbox.deadLetters.get(id)).toBeUndefined()
        expect(await inbox.deadLetters.retry(id)).toBe(0)
        expect(await inbox.deadLetters.discard(id)).toBe(0)
      }
      expect(await inbox.deadLetters.retry('all')).toBe(0)
      expect(await inbox.statistics()).toMatchObject({ queued: 1, dead: 0 })
    })

    itUnless(suite.isDurable ? undefined : 'the inbox is in memory')(
      'are kept when the inbox is opened again',
      async () => {
        const scene = await createScene(suite)
        const before = await scene.open()
        await kill(scene, before, [createStored('bad')])
        const deadLetters = await listDeadLetters(before)
        await before.close()
        expect(await listDeadLetters(await scene.open())).toEqual(deadLetters)
      },
    )
  })
}
