import { randomBytes } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import type { Inbox } from 'hooklayer'
import { createSqliteInbox, type SqliteDatabase } from 'hooklayer/inboxes/sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createGate,
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxPlace,
  putAll,
  type Scene,
} from '../../../src/contracts/inbox/harness.ts'
import { prepare } from '../../../src/sqlite/database.ts'
import { openDatabase } from '../../../src/sqlite/open.ts'
import { rejection, thrownBy } from '../../deliveries.ts'
import { createFolder } from './place.ts'

function folder(): string {
  const { file, remove } = createFolder()
  onTestFinished(remove)
  return file
}

function connect(file: string): SqliteDatabase {
  const { database, close } = openDatabase({ file }, '')
  onTestFinished(close)
  return database
}

/** An inbox on a database that the test can also read and change. */
async function createOpenScene(
  options: object = {},
): Promise<Scene & { inbox: Inbox; file: string; database: SqliteDatabase }> {
  const file = folder()
  const database = connect(file)
  const place: InboxPlace = { open: () => createSqliteInbox({ database, ...options }) }
  const scene = await createScene({ start: () => place, timeoutMs: 10_000, isDurable: true })
  return { ...scene, inbox: await scene.open(), file, database }
}

describe('the options of the SQLite inbox', () => {
  it.each([
    [{ file: 'x', leaseMs: 0 }, 'createSqliteInbox: `leaseMs` must be a whole number over 0.'],
    [{ file: 'x', retention: 1 }, 'createSqliteInbox has no option `retention`. Did you mean `retentionMs`?'],
  ])('are refused when they are wrong: %j', (options, message) => {
    expect(thrownBy(() => createSqliteInbox(options as never))).toEqual(new TypeError(message))
  })
})

describe('a disk that is full', () => {
  it('stores nothing more, keeps what it has, and works again when there is space', async () => {
    const { inbox, database } = await createOpenScene()
    await putAll(inbox, createSeveral(3, 'before'))
    database.exec('PRAGMA max_page_count = 30')
    const large = createStored('large', { body: randomBytes(200_000) })
    expect(await rejection(inbox.put(large))).toMatchObject({ message: expect.stringMatching(/full/) })
    expect(await inbox.statistics()).toMatchObject({ queued: 3 })
    database.exec('PRAGMA max_page_count = 100000')
    expect(await inbox.put(large)).toBe('stored')
  })

  it('stores what still fits beside what does not', async () => {
    const { inbox, database } = await createOpenScene()
    await putAll(inbox, [createStored('before')])
    database.exec('PRAGMA max_page_count = 30')
    const large = createStored('large', { body: randomBytes(200_000) })
    const results = await Promise.allSettled([
      inbox.put(createStored('one')),
      inbox.put(large),
      inbox.put(createStored('two')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await inbox.statistics()).toMatchObject({ queued: 3 })
  })
})

describe('a body that was damaged', () => {
  it.each([
    ['in part', 'UPDATE hooklayer_bodies SET body = zeroblob(40) WHERE seq = 1', Buffer.alloc(40)],
    ['so that its row is missing', 'DELETE FROM hooklayer_bodies WHERE seq = 1', Buffer.alloc(0)],
  ])('%s makes a dead letter that blocks no other', async (_, damage, left) => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('bad', { group: 'orders/A' }), createStored('good', { group: 'orders/A' })])
    database.exec(damage)
    const { process, started } = createRecording()
    const onError = vi.fn()
    consume(inbox, process, { onError })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, dead: 1 }))
    expect(started).toEqual(['good'])
    const reported = new Error(
      'orders.place: BODY_DAMAGED. What was stored is damaged. The delivery is a dead letter now.',
    )
    expect(onError.mock.calls).toEqual([[reported]])
    const error = { code: 'BODY_DAMAGED', message: 'What was stored is damaged.' }
    const deadLetter = await inbox.deadLetters.get('bad')
    expect(deadLetter).toMatchObject({ id: 'bad', attempts: 1, error, delivery: { id: 'bad', group: 'orders/A' } })
    expect(left.equals(deadLetter?.delivery.body ?? Buffer.alloc(1))).toBe(true)
  })
})

describe('a database that another process locks for too long', () => {
  it('stores nothing, and what was handled meanwhile is settled afterwards', async () => {
    const { inbox, file, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('one')])
    const gate = createGate()
    const { process, started, ended } = createRecording(() => gate.opened)
    const onError = vi.fn()
    const options = { concurrency: 2, concurrencyByTopic: {}, attempts: 2, delayMs: () => 10, onError }
    const consumer = inbox.consume(process, options)
    await waitFor(() => expect(started).toEqual(['one']))
    const other = connect(file)
    other.exec('BEGIN IMMEDIATE')
    expect(await rejection(inbox.put(createStored('two')))).toBeInstanceOf(Error)
    gate.open()
    await waitFor(() => expect(onError).toHaveBeenCalled())
    expect(await inbox.statistics()).toMatchObject({ running: 1 })
    other.exec('COMMIT')
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ running: 0, queued: 0 }))
    expect(await inbox.put(createStored('two'))).toBe('stored')
    await waitFor(() => expect(ended).toEqual(['one', 'two']))
    await consumer.stop()
  })

  it('does not handle again what was handled meanwhile, even if another worker had leased it', async () => {
    const { inbox, file, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('one')])
    const gate = createGate()
    const onError = vi.fn()
    const { process, started } = createRecording(() => gate.opened)
    consume(inbox, process, { onError })
    await waitFor(() => expect(started).toEqual(['one']))
    const other = connect(file)
    other.exec('BEGIN IMMEDIATE')
    gate.open()
    await waitFor(() => expect(onError).toHaveBeenCalled())
    other.exec("UPDATE hooklayer_deliveries SET token = 'of one that was lost', due_at = 0; COMMIT")
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ running: 0, queued: 0 }))
    expect(started).toEqual(['one'])
  })
})

describe('a lease', () => {
  it('is renewed while the handler runs', async () => {
    const { inbox, consume, waitFor } = await createOpenScene({ leaseMs: 1000 })
    await putAll(inbox, [createStored('long')])
    const { process, started, ended } = createRecording(() => new Promise((resolve) => setTimeout(resolve, 2200)))
    consume(inbox, process)
    await waitFor(() => expect(ended).toEqual(['long']))
    expect(started).toEqual(['long'])
  })

  it('that another worker has taken over aborts the attempt, whose result is ignored', async () => {
    const { inbox, database, consume, waitFor } = await createOpenScene({ leaseMs: 150 })
    await putAll(inbox, [createStored('lost')])
    let reason: unknown
    consume(inbox, (_, { signal }) => {
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
          resolve()
        })
      })
    })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ running: 1 }))
    const until = Date.now() + 60_000
    prepare(database, "UPDATE hooklayer_deliveries SET token = 'of another', due_at = ?").run(until)
    await waitFor(() => expect(reason).toMatchObject({ code: 'IN_PROGRESS' }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await inbox.statistics()).toMatchObject({ running: 1 })
    expect(prepare(database, 'SELECT token FROM hooklayer_deliveries').get()).toMatchObject({ token: 'of another' })
  })
})

describe('a worker that is stopped', () => {
  it('does not change the order of what it returns', async () => {
    const { inbox, consume, waitFor } = await createOpenScene()
    const deliveries = createSeveral(9, 'work')
    await putAll(inbox, deliveries)
    const stuck = createRecording(() => new Promise(() => {}))
    const consumer = consume(inbox, stuck.process, { concurrency: 5 })
    await waitFor(() => expect(stuck.started).toHaveLength(5))
    await consumer.stop({ timeoutMs: 10 })
    const { process, started } = createRecording()
    consume(inbox, process, { concurrency: 1 })
    await waitFor(() => expect(started).toEqual(deliveries.map(({ id }) => id)))
  })
})

describe('the SQLite file', () => {
  it('stores many deliveries at once, and all are handled', async () => {
    const { inbox, consume, waitFor } = await createOpenScene()
    const deliveries = createSeveral(2000, 'many', { body: new Uint8Array(2000) })
    const results = await Promise.all(deliveries.map((delivery) => inbox.put(delivery)))
    expect(new Set(results)).toEqual(new Set(['stored']))
    const { process, ended } = createRecording()
    consume(inbox, process, { concurrency: 20 })
    await waitFor(() => expect(new Set(ended).size).toBe(2000))
  })

  it('keeps no body of a handled or discarded delivery, and no id past its retention', async () => {
    const { inbox, database, consume, waitFor } = await createOpenScene({ retentionMs: 1000 })
    const countRows = (table: string) => prepare(database, `SELECT count(*) AS rows FROM hooklayer_${table}`).get()
    const { process, ended } = createRecording(({ id }) => {
      if (id === 'bad-0') throw new Error('always')
    })
    consume(inbox, process, { attempts: 1 })
    await putAll(inbox, [...createSeveral(5, 'early'), createStored('bad-0')])
    await waitFor(() => expect(ended).toHaveLength(5))
    await waitFor(async () => expect(await inbox.deadLetters.discard('bad-0')).toBe(1))
    expect(countRows('bodies')).toMatchObject({ rows: 0 })
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await putAll(inbox, createSeveral(5, 'late'))
    await waitFor(() => expect(ended).toHaveLength(10))
    await waitFor(() => expect(countRows('deliveries')).toMatchObject({ rows: 5 }))
  })

  it('stays open if it was given open', async () => {
    const { inbox, database } = await createOpenScene()
    await inbox.close()
    expect(prepare(database, 'SELECT 1 AS one').get()).toMatchObject({ one: 1 })
  })

  it('soon has on the disk what was handled, without another write', async () => {
    const { inbox, file, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('one')])
    consume(inbox, createRecording().process)
    await waitFor(() => {
      copyFileSync(file, `${file}.copy`)
      const { database, close } = openDatabase({ file: `${file}.copy` }, '')
      try {
        expect(prepare(database, 'SELECT state FROM hooklayer_deliveries').get()).toMatchObject({ state: 3 })
      } finally {
        close()
      }
    })
  })

  it('waits for the disk in every transaction that stores', async () => {
    const { inbox, database, consume, waitFor } = await createOpenScene()
    await putAll(inbox, [createStored('one')])
    consume(inbox, createRecording().process)
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0 }))
    expect(prepare(database, 'PRAGMA synchronous').get()).toMatchObject({ synchronous: 2 })
    expect(prepare(database, 'PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
  })
})
