import { setTimeout as sleep } from 'node:timers/promises'
import { createReceiver, type Inbox, PermanentError } from 'hooklayer'
import type { DeliveryQuery, ListedDelivery, StoredDelivery } from 'hooklayer/drivers'
import { describe, expect, it } from 'vitest'
import { recordingLogger, rejection, thrownBy } from '../helpers.ts'
import { createGate, createScene, createSeveral, createStored, type InboxSuite, putAll, type Scene } from './harness.ts'

const LATER = 60 * 60 * 1000

export async function listAll(inbox: Inbox, ...query: [DeliveryQuery?]): Promise<ListedDelivery[]> {
  const listed = []
  for await (const delivery of inbox.list(...query)) listed.push(delivery)
  return listed
}

export async function listIds(inbox: Inbox, query: DeliveryQuery): Promise<string[]> {
  return (await listAll(inbox, query)).map(({ id }) => id).sort()
}

/** The body of an order of Ada's. */
export function orderOf(id: string, number: string): Uint8Array {
  const customer = { type: 'customers', id: 'ada', attributes: { email: 'Ada@example.com' } }
  const attributes = { number, customer_email: 'ada@example.com', note: 'leave it at the door' }
  return Buffer.from(JSON.stringify({ data: { type: 'orders', id, attributes }, included: [customer] }))
}

/**
 * One delivery in each state: `running` of a topic of its own, which `end` ends, `unhandled` without a handler, `dead`,
 * `failed`, and `queued`.
 */
export async function createStates(scene: Scene, inbox: Inbox): Promise<{ end(): Promise<void> }> {
  const { opened, open } = createGate()
  const receiver = createReceiver({ secrets: () => undefined, logger: recordingLogger().logger })
  receiver.on('orders.approve', () => opened)
  receiver.on('orders.place', { name: 'erp' }, () => Promise.reject(new Error('The ERP answered 422 for a@b.example')))
  receiver.on('orders.cancel', () => Promise.reject(new PermanentError('no use')))
  const isHandled = (topic: string) => topic !== 'orders.pay'
  const options = { delayMs: () => LATER, isHandled, attempts: 7, concurrency: 1 }
  const consumer = scene.consume(inbox, receiver.handleStored, options)
  const reach = async (id: string, topic: string) => {
    await putAll(inbox, [createStored(id, { topic, body: orderOf(id, `number-${id}`) })])
    await scene.waitFor(async () => expect(await inbox.statistics()).toMatchObject({ [id]: 1 }))
  }
  await reach('failed', 'orders.place')
  await reach('dead', 'orders.cancel')
  await reach('unhandled', 'orders.pay')
  // It takes the only place of the worker, so that nothing is leased from now on.
  await reach('running', 'orders.approve')
  await reach('queued', 'orders.place')
  return {
    async end() {
      const stopped = consumer.stop()
      open()
      await stopped
    },
  }
}

export function testListing(suite: InboxSuite): void {
  describe('the list of deliveries', () => {
    it('shows each state with what is known of it, and nothing of the payload', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const before = Date.now()
      const { end } = await createStates(scene, inbox)
      const listed = await listAll(inbox)
      const byState = Object.fromEntries(listed.map((delivery) => [delivery.state, delivery]))
      expect(Object.keys(byState).sort()).toEqual(['dead', 'failed', 'queued', 'running', 'unhandled'])
      for (const { id, state, receivedAt, ageMs } of listed) {
        expect(id).toBe(state)
        expect(receivedAt.getTime()).toBeGreaterThanOrEqual(before - 50)
        expect(ageMs).toBeGreaterThanOrEqual(0)
        expect(ageMs).toBeLessThan(suite.timeoutMs)
      }
      expect(byState.running).toMatchObject({ topic: 'orders.approve', attempts: 1 })
      expect(byState.queued).toMatchObject({ topic: 'orders.place', attempts: 0 })
      expect(byState.unhandled).toMatchObject({ topic: 'orders.pay', attempts: 0 })
      expect(byState.failed).toMatchObject({
        attempts: 1,
        maxAttempts: 7,
        resource: { type: 'orders', id: 'failed', number: 'number-failed' },
        error: { code: 'HANDLER_FAILED', handler: 'erp', cause: 'The ERP answered 422 for …' },
      })
      const dueIn = (byState.failed?.nextAttemptAt?.getTime() ?? 0) - Date.now()
      expect(dueIn).toBeGreaterThan(LATER - suite.timeoutMs)
      expect(dueIn).toBeLessThanOrEqual(LATER + 50)
      expect(byState.dead).toMatchObject({ attempts: 1, error: { code: 'PERMANENT', message: 'no use' } })
      expect(byState.dead?.failedAt?.getTime()).toBeGreaterThanOrEqual(before - 50)
      for (const name of ['queued', 'running', 'unhandled']) {
        expect(byState[name]).not.toHaveProperty('nextAttemptAt')
        expect(byState[name]).not.toHaveProperty('error')
      }
      expect(JSON.stringify(listed)).not.toMatch(/example|door|number-queued/)
      await end()
    })

    it('agrees with the statistics, and with the dead letters', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { end } = await createStates(scene, inbox)
      const { oldest, byTopic, ...counts } = await inbox.statistics()
      for (const [state, count] of Object.entries(counts)) {
        expect(await listAll(inbox, { state: state as ListedDelivery['state'] })).toHaveLength(count)
      }
      const [dead] = await listAll(inbox, { state: 'dead' })
      const { delivery, ...deadLetter } = (await inbox.deadLetters.get('dead')) ?? {}
      expect(dead).toMatchObject(deadLetter)
      expect(delivery?.id).toBe('dead')
      await end()
    })

    it('keeps the last failure while the next attempt waits and fails, and forgets it with the delivery', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await putAll(inbox, [createStored('order', { body: orderOf('abc', '1054') })])
      let failures = 0
      const consumer = scene.consume(
        inbox,
        async () => {
          failures += 1
          throw new Error(`answer ${failures}`)
        },
        { delayMs: (attempt) => (attempt === 1 ? 10 : LATER), attempts: 3 },
      )
      await scene.waitFor(async () => expect(await listAll(inbox)).toMatchObject([{ state: 'failed', attempts: 2 }]))
      expect(await listAll(inbox)).toMatchObject([{ error: { cause: 'answer 2' }, resource: { number: '1054' } }])
      await consumer.stop()
    })

    it('is filtered by state, topic, code, age and resource, which all must match', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { end } = await createStates(scene, inbox)
      const old = new Date(Date.now() - 2 * LATER)
      await putAll(inbox, [createStored('old', { topic: 'orders.pay', receivedAt: old, body: orderOf('old', '1') })])
      const found = (query: DeliveryQuery) => listIds(inbox, query)
      expect(await found({})).toHaveLength(6)
      expect(await found({ state: ['failed', 'dead'] })).toEqual(['dead', 'failed'])
      expect(await found({ topic: 'orders.place' })).toEqual(['failed', 'queued'])
      expect(await found({ topic: 'orders.place', state: 'queued' })).toEqual(['queued'])
      expect(await found({ code: 'HANDLER_FAILED' })).toEqual(['failed'])
      expect(await found({ code: 'HANDLER_FAILED', state: 'dead' })).toEqual([])
      expect(await found({ olderThanMs: LATER })).toEqual(['old'])
      for (const id of ['queued', 'running', 'failed', 'unhandled', 'dead']) {
        expect(await found({ resource: { type: 'orders', id } })).toEqual([id])
      }
      expect(await found({ resource: { type: 'customers', id: 'ada' } })).toHaveLength(6)
      expect(await found({ resource: { type: 'customers', id: 'ada' }, state: 'dead' })).toEqual(['dead'])
      expect(await found({ resource: { type: 'customers', id: 'queued' } })).toEqual([])
      expect(await found({ topic: undefined, code: undefined })).toHaveLength(6)
      await end()
    })

    it('is searched by order number, email address and id, whole and in any case', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      const { end } = await createStates(scene, inbox)
      const found = (search: string) => listIds(inbox, { search })
      for (const id of ['queued', 'running', 'failed', 'unhandled', 'dead']) {
        expect(await found(`number-${id}`)).toEqual([id])
        expect(await found(id)).toEqual([id])
      }
      expect(await found('ADA@example.COM')).toHaveLength(5)
      expect(await found('ada')).toHaveLength(5)
      for (const other of ['example.com', 'number', 'leave it at the door', 'orders', '"']) {
        expect(await found(other)).toEqual([])
      }
      await end()
    })

    it('finds nothing in a body that is no document', async () => {
      const inbox = await (await createScene(suite)).open()
      const bodies = [
        '',
        'null',
        '7',
        '{"data":[{"id":"x"},null]}',
        '{"included":7}',
        '{"data":{"attributes":null}}',
        '{',
      ]
      await putAll(
        inbox,
        bodies.map((body, at) => createStored(`odd-${at}`, { body: Buffer.from(body) })),
      )
      expect(await listIds(inbox, { search: 'x' })).toEqual(['odd-3'])
      expect(await listIds(inbox, { resource: { type: 'orders', id: 'x' } })).toEqual([])
    })

    it('comes in the order of storing over many pages, each delivery once, and continues after one', async () => {
      const inbox = await (await createScene(suite)).open()
      const stored: StoredDelivery[] = createSeveral(1100, 'many', { body: orderOf('a', '1') })
      for (let start = 0; start < stored.length; start += 100) {
        await Promise.all(stored.slice(start, start + 100).map((delivery) => inbox.put(delivery)))
      }
      const all = (await listAll(inbox)).map(({ id }) => id)
      expect(new Set(all)).toEqual(new Set(stored.map(({ id }) => id)))
      expect(all).toHaveLength(1100)
      const hundred = (id: string) => Math.floor(Number(id.slice('many-'.length)) / 100)
      expect(all.map(hundred)).toEqual(stored.map(({ id }) => hundred(id)))
      const [, , third = ''] = all
      expect((await listAll(inbox, { after: { id: third } })).map(({ id }) => id)).toEqual(all.slice(3))
      expect(await listAll(inbox, { after: { id: 'nobody' } })).toHaveLength(1100)
      const iterable = inbox.list({ search: 'many-7' })
      for (const _ of [1, 2]) {
        const found = []
        for await (const { id } of iterable) found.push(id)
        expect(found).toEqual(['many-7'])
      }
    })

    it('leaves out nothing that moves while it is read', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open()
      await Promise.all(createSeveral(600, 'moving', { group: undefined }).map((delivery) => inbox.put(delivery)))
      const iterator = inbox.list({})[Symbol.asyncIterator]()
      const seen = new Set([(await iterator.next()).value.id])
      const consumer = scene.consume(inbox, () => Promise.reject(new PermanentError('no use')), { concurrency: 50 })
      await scene.waitFor(async () => expect((await inbox.statistics()).dead).toBe(600))
      await consumer.stop()
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) seen.add(next.value.id)
      expect(seen.size).toBe(600)
    })

    it('is ended by its signal', async () => {
      const inbox = await (await createScene(suite)).open()
      await putAll(inbox, [createStored('one')])
      const reason = new Error('enough')
      const ended = rejection(listAll(inbox, { signal: AbortSignal.abort(reason) }))
      expect(await ended).toBe(reason)
    })

    it('is refused at once if the query is wrong', async () => {
      const inbox = await (await createScene(suite)).open()
      for (const query of [
        { states: 'dead' },
        { state: 'waiting' },
        { state: [] },
        { search: '' },
        { topic: 7 },
        { resource: 'orders/x' },
        { olderThanMs: -1 },
        { after: 'x' },
        { signal: {} },
        null,
      ]) {
        expect(thrownBy(() => inbox.list(query as never))).toBeInstanceOf(TypeError)
      }
    })
  })

  describe('a dead letter', () => {
    it('is discarded by a worker after `deadLetterRetentionMs`, and its id stays known', async () => {
      const scene = await createScene(suite)
      const inbox = await scene.open({ deadLetterRetentionMs: 1500 })
      const kill = () => Promise.reject(new PermanentError('no use'))
      const consumer = scene.consume(inbox, kill)
      await putAll(inbox, createSeveral(40, 'old'))
      await scene.waitFor(async () => expect((await inbox.statistics()).dead).toBe(40))
      await consumer.stop()
      await sleep(1600)
      await putAll(inbox, [createStored('new')])
      const other = suite.isDurable ? await scene.open({ deadLetterRetentionMs: 1500 }) : inbox
      scene.consume(other, kill)
      await scene.waitFor(async () => expect(await listIds(inbox, {})).toEqual(['new']))
      expect(await inbox.put(createStored('old-7'))).toBe('duplicate')
    })
  })
}
