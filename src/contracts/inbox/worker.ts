import {
  createReceiver,
  createWorker,
  type Inbox,
  PermanentError,
  type Receiver,
  type ReceiverOptions,
} from 'hooklayer'
import { createDelivery, sign, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { recordingLogger } from '../helpers.ts'
import { createScene, createStored, type InboxSuite, listDeadLetters, putAll, type Scene } from './harness.ts'

interface Shop {
  readonly receiver: Receiver
  /** The status and code of the answer to an order, or to text that is signed. */
  answer(topic: string, sent?: { readonly id?: string } | string, secret?: string): Promise<string>
  work(): void
}

function createRequest(topic: string, sent: { readonly id?: string } | string = {}, secret = TEST_SECRET) {
  if (typeof sent === 'string') return signText(topic, sent, secret)
  return createDelivery(topic, { resource: { ...sent, customer: { email: 'ada@example.com' } }, secret })
}

async function signText(topic: string, text: string, secret: string) {
  const body = new TextEncoder().encode(text)
  const signature = await sign(body, secret)
  return { method: 'POST', headers: { 'x-commercelayer-topic': topic, 'x-commercelayer-signature': signature }, body }
}

function openShop(inbox: Inbox, options: Partial<ReceiverOptions> = {}): Shop {
  const { logger } = recordingLogger()
  const receiver = createReceiver({ secrets: () => TEST_SECRET, inbox, logger, ...options })
  return {
    receiver,
    async answer(topic, sent, secret) {
      const { status, body } = await receiver.receive(await createRequest(topic, sent, secret))
      const { outcome, error } = JSON.parse(body)
      return `${status} ${outcome ?? error.code}`
    },
    work() {
      const worker = createWorker({ receiver, inbox, logger, attempts: 3, backoffMs: 10 })
      onTestFinished(() => worker.stop({ timeoutMs: 0 }))
    },
  }
}

async function describeDeadLetters(inbox: Inbox): Promise<string[]> {
  return (await listDeadLetters(inbox)).map(({ topic, attempts, error }) => `${topic} ${attempts} ${error.code}`)
}

async function waitUntilEmpty({ waitFor }: Scene, inbox: Inbox): Promise<void> {
  const empty = { queued: 0, running: 0, failed: 0 }
  await waitFor(async () => expect(await inbox.statistics()).toMatchObject(empty))
}

export function testWorker(suite: InboxSuite): void {
  describe('a receiver and a worker', () => {
    it('answer 202, run the handlers afterwards, and recognize a duplicate', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { receiver, answer, work } = openShop(inbox)
      const seen: (string | undefined)[] = []
      receiver.on('orders.place', ({ resource, topic }) => void seen.push(`${topic} ${resource.customer?.email}`))
      expect(await answer('orders.place')).toBe('202 queued')
      expect(await answer('orders.place')).toBe('200 duplicate')
      expect(seen).toEqual([])
      work()
      await scene.waitFor(() => expect(seen).toEqual(['orders.place ada@example.com']))
      await waitUntilEmpty(scene, inbox)
      expect(await answer('orders.place')).toBe('200 duplicate')
      expect(seen).toHaveLength(1)
    })

    it('acknowledge a topic without a handler', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { answer, work } = openShop(inbox)
      work()
      expect(await answer('orders.refund')).toBe('202 queued')
      await waitUntilEmpty(scene, inbox)
      expect(await describeDeadLetters(inbox)).toEqual([])
    })

    it('retry a handler that fails, and make dead letters of permanent errors', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { receiver, answer, work } = openShop(inbox)
      let calls = 0
      receiver.on('orders.place', () => {
        calls += 1
        if (calls < 3) throw new Error('The warehouse is down.')
      })
      receiver.on('orders.approve', () => Promise.reject(new PermanentError('No such order.')))
      receiver.on('orders.cancel', () => Promise.reject(new Error('The warehouse is down.')))
      work()
      expect(await answer('orders.place')).toBe('202 queued')
      expect(await answer('orders.approve')).toBe('202 queued')
      expect(await answer('orders.cancel')).toBe('202 queued')
      await waitUntilEmpty(scene, inbox)
      expect(calls).toBe(3)
      expect((await describeDeadLetters(inbox)).sort()).toEqual([
        'orders.approve 1 PERMANENT',
        'orders.cancel 3 HANDLER_FAILED',
      ])
    })

    it('store a genuine delivery that is not a document, and make it a dead letter', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { receiver, answer, work } = openShop(inbox, { ordering: 'resource' })
      receiver.on('orders.place', () => {})
      work()
      expect(await answer('orders.place', 'not a document')).toBe('202 queued')
      await scene.waitFor(async () =>
        expect(await describeDeadLetters(inbox)).toEqual(['orders.place 1 DOCUMENT_INVALID']),
      )
    })

    it('do not handle what was stored with a topic that is none, and go on', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { receiver, answer, work } = openShop(inbox)
      const seen: string[] = []
      receiver.on('*', ({ topic }) => void seen.push(topic))
      const topics = ['orders', 'orders.place\nFORGED LINE', '__proto__.x', 'Orders.Place', '../orders.place']
      for (const [at, topic] of topics.entries()) await inbox.put(createStored(`bad-${at}`, { topic }))
      expect(await answer('orders.place')).toBe('202 queued')
      work()
      await scene.waitFor(async () => expect(await listDeadLetters(inbox)).toHaveLength(topics.length))
      await waitUntilEmpty(scene, inbox)
      expect(seen).toEqual(['orders.place'])
      expect(new Set((await listDeadLetters(inbox)).map(({ error }) => error.code))).toEqual(new Set(['TOPIC_INVALID']))
    })

    it('do not handle what no receiver has stored, with `verifyStored`', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const key = 'a key of the shop, which is not in the database'
      const { receiver, answer, work } = openShop(inbox, { verifyStored: { key, unsigned: 'refuse' } })
      const seen: string[] = []
      receiver.on('*', ({ topic }) => void seen.push(topic))
      const { topic, body } = await createDelivery('orders.place')
      const forged = { topic, body }
      await putAll(inbox, [
        createStored('unsigned', forged),
        createStored('empty', { ...forged, signature: '' }),
        createStored('forged', { ...forged, signature: 'QUFB'.repeat(11) }),
      ])
      expect(await answer('orders.place')).toBe('202 queued')
      work()
      await scene.waitFor(async () => expect(await listDeadLetters(inbox)).toHaveLength(3))
      await waitUntilEmpty(scene, inbox)
      expect(seen).toEqual(['orders.place'])
      expect(await describeDeadLetters(inbox)).toEqual(Array(3).fill('orders.place 1 SIGNATURE_MISMATCH'))
    })

    it('keep the order of one resource with `ordering`', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { receiver, answer, work } = openShop(inbox, { ordering: 'resource' })
      const seen: string[] = []
      receiver.on('orders.*', async ({ topic, resource: { id } }) => {
        await new Promise((resolve) => setTimeout(resolve, topic === 'orders.create' ? 50 : 0))
        seen.push(`${id} ${topic}`)
      })
      const topics = ['orders.create', 'orders.place', 'orders.approve']
      for (const topic of topics) {
        for (const id of ['AAAAAAAAAA', 'BBBBBBBBBB']) await answer(topic, { id })
      }
      work()
      await scene.waitFor(() => expect(seen).toHaveLength(6))
      for (const id of ['AAAAAAAAAA', 'BBBBBBBBBB']) {
        const ofOne = seen.filter((line) => line.startsWith(id))
        expect(ofOne).toEqual(topics.map((topic) => `${id} ${topic}`))
      }
    })

    it('refuse a forgery and do not store it', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { answer } = openShop(inbox)
      expect(await answer('orders.place', {}, 'another secret of tests')).toBe('401 SIGNATURE_MISMATCH')
      expect(await inbox.statistics()).toMatchObject({ queued: 0 })
    })

    it('answer 503 when the inbox is full or closed', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open({ maxQueued: 1 })
      const { answer } = openShop(inbox)
      expect(await answer('orders.place', { id: 'AAAAAAAAAA' })).toBe('202 queued')
      expect(await answer('orders.place', { id: 'BBBBBBBBBB' })).toBe('503 OVERLOADED')
      await inbox.close()
      expect(await answer('orders.place', { id: 'CCCCCCCCCC' })).toBe('503 STORE_UNAVAILABLE')
    })
  })
}
