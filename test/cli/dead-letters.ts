import { createReceiver, createWorker, type Inbox } from 'hooklayer'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { expect, vi } from 'vitest'
import { createSeveral } from '../../src/contracts/inbox/harness.ts'
import { recordingLogger } from '../deliveries.ts'

/** An order, and its number. */
export const ORDER = { id: 'NrlYhpzLKA', number: '1054', customer: { id: 'qwertyABCD', email: 'zoe@example.com' } }

/** Stores an order and lets its handler fail for good. Gives the id of the delivery. */
export async function addFailedOrder(inbox: Inbox, causes: 'masked' | 'full' = 'masked'): Promise<string> {
  const receiver = createReceiver({ secrets: TEST_SECRET, inbox, logger: recordingLogger().logger })
  receiver.on('orders.place', { name: 'erp' }, () => {
    throw new Error('The ERP has refused zoe@example.com')
  })
  const { status } = await receiver.receive(await createDelivery('orders.place', { resource: ORDER }))
  expect(status).toBe(202)
  const before = (await inbox.statistics()).dead
  const worker = createWorker({ receiver, inbox, attempts: 1, causes, logger: recordingLogger().logger })
  await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(before + 1), { timeout: 10_000 })
  await worker.stop()
  for await (const { id, resource } of inbox.deadLetters.list()) if (resource?.id === ORDER.id) return id
  throw new Error('The order has not failed.')
}

/** Adds many small dead letters. */
export async function addDeadLetters(inbox: Inbox, count: number, topic = 'orders.place'): Promise<void> {
  const before = (await inbox.statistics()).dead
  await Promise.all(createSeveral(count, topic, { topic }).map((delivery) => inbox.put(delivery)))
  const worker = inbox.consume(() => Promise.reject(new Error('refused')), {
    concurrency: 200,
    concurrencyByTopic: {},
    attempts: 1,
    delayMs: () => 1,
    onError() {},
  })
  await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(before + count), { timeout: 60_000 })
  await worker.stop()
}
