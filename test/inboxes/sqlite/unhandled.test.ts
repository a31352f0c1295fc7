import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { describe, expect, it } from 'vitest'
import {
  createGate,
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxPlace,
  putAll,
} from '../../../src/contracts/inbox/harness.ts'
import { createFolder } from './place.ts'

const REFUND = { topic: 'orders.refund' }
const isHandled = (topic: string) => topic !== REFUND.topic

function createSharedScene() {
  const { file, remove } = createFolder()
  const place: InboxPlace = { open: (options) => createSqliteInbox({ file, ...options }), end: remove }
  return createScene({ start: () => place, timeoutMs: 10_000, isDurable: true })
}

describe('a delivery for which one of two workers has no handler', () => {
  it('is not set aside while the other worker handles its topic', async () => {
    const { open, consume, waitFor } = await createSharedScene()
    const [yesterday, today] = [await open({ maxUnhandled: 1 }), await open()]
    await putAll(today, createSeveral(5, 'refund', REFUND))
    const gate = createGate()
    const { process, started, ended } = createRecording(() => gate.opened)
    consume(today, process, { concurrency: 1 })
    await waitFor(() => expect(started).toHaveLength(1))
    const old = createRecording()
    consume(yesterday, old.process, { isHandled })
    await putAll(yesterday, [createStored('place')])
    await waitFor(() => expect(old.ended).toEqual(['place']))
    await waitFor(async () => {
      expect(await today.statistics()).toMatchObject({ queued: 4, running: 1, unhandled: 0, dead: 0 })
    })
    gate.open()
    await waitFor(() => expect(ended).toHaveLength(5))
  })

  it('never runs beside another one of its group, and comes before those that are stored later', async () => {
    const { open, consume, waitFor } = await createSharedScene()
    const [yesterday, today] = [await open(), await open()]
    const group = 'orders/A'
    await putAll(today, [createStored('refund', { ...REFUND, group }), ...createSeveral(2, 'place', { group })])
    const gate = createGate()
    const old = createRecording(() => gate.opened)
    const worker = consume(yesterday, old.process, { isHandled })
    await waitFor(() => expect(old.started).toEqual(['place-0']))
    const fresh = createRecording()
    consume(today, fresh.process)
    await putAll(today, [createStored('other')])
    await waitFor(() => expect(fresh.ended).toEqual(['other']))
    gate.open()
    await worker.stop()
    await waitFor(() => expect(fresh.ended).toEqual(['other', 'refund', 'place-1']))
  })

  it('is handled in the order of its topic when a worker has the handler', async () => {
    const { open, consume, waitFor } = await createSharedScene()
    const inbox = await open()
    await putAll(inbox, createSeveral(9, 'refund', REFUND))
    const worker = consume(inbox, createRecording().process, { isHandled })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ unhandled: 9 }))
    await worker.stop()
    await putAll(inbox, [createStored('refund-9', REFUND)])
    const { process, started } = createRecording()
    consume(inbox, process, { concurrency: 1 })
    await waitFor(() => expect(started).toHaveLength(10))
    expect(started).toEqual(createSeveral(10, 'refund').map(({ id }) => id))
  })

  it('does not hold up deliveries of other topics, however many they are', async () => {
    const { open, consume, waitFor } = await createSharedScene()
    const inbox = await open()
    await Promise.all(createSeveral(1500, 'refund', REFUND).map((delivery) => inbox.put(delivery)))
    await putAll(inbox, [createStored('place')])
    const { process, ended } = createRecording()
    consume(inbox, process, { isHandled })
    await waitFor(() => expect(ended).toEqual(['place']))
    expect(await inbox.statistics()).toMatchObject({ dead: 0 })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, unhandled: 1500, dead: 0 }))
  })
})
