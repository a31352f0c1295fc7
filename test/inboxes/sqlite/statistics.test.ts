import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createStored, putAll } from '../../../src/contracts/inbox/harness.ts'
import { prepare, type SqliteDatabase } from '../../../src/sqlite/database.ts'
import { addRows, connect, createFile, measure } from '../../sqlite/folder.ts'

const LATER = Date.now() + 60_000

function openInbox(file: string, options: object = {}) {
  const inbox = createSqliteInbox({ file, ...options })
  onTestFinished(() => inbox.close())
  return inbox
}

/** Counts the rows themselves. */
function countRows(database: SqliteDatabase) {
  const count = (where: string) =>
    (prepare(database, `SELECT count(*) AS rows FROM hooklayer_deliveries WHERE ${where}`).get() as { rows: number })
      .rows
  return {
    queued: count(`state = 1 OR state = 0 AND due_at <= ${Date.now()}`),
    running: count(`state = 0 AND due_at > ${Date.now()} AND token IS NOT NULL`),
    failed: count(`state = 0 AND due_at > ${Date.now()} AND token IS NULL`),
    unhandled: count('state = 4'),
    dead: count('state = 2'),
  }
}

/** Changes that any process may make, whatever its version. */
const CHANGES = [
  'UPDATE hooklayer_deliveries SET state = 2 WHERE seq % 7 = 0',
  "UPDATE hooklayer_deliveries SET state = 4, token = NULL WHERE topic = 'orders.t3'",
  `UPDATE hooklayer_deliveries SET token = 'x', due_at = ${LATER} WHERE state = 0 AND seq % 5 = 0`,
  `UPDATE hooklayer_deliveries SET due_at = ${LATER} WHERE state = 0 AND seq % 11 = 0`,
  'UPDATE hooklayer_deliveries SET state = 1 WHERE state = 0 AND seq % 13 = 0',
  "UPDATE hooklayer_deliveries SET topic = 'moved.there' WHERE seq % 17 = 0",
  'UPDATE hooklayer_deliveries SET state = 3 WHERE seq % 3 = 0',
  'UPDATE hooklayer_deliveries SET state = 0 WHERE state = 4 AND seq % 2 = 0',
  'DELETE FROM hooklayer_deliveries WHERE seq % 19 = 0',
  "INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at) VALUES ('a', 'other.one', 1, 0, 1)",
  "INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at) VALUES ('b', 'other.one', 1, 3, 1)",
  "INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at) SELECT 'a', 'x.y', 1, 0, 1 WHERE true ON CONFLICT (id) DO NOTHING",
  'DELETE FROM hooklayer_deliveries',
]

describe('the statistics of the SQLite inbox', () => {
  it('miss no change, whoever writes to the file', async () => {
    const file = createFile()
    const inbox = openInbox(file)
    const other = connect(file)
    addRows(other, 1000)
    expect(await inbox.statistics()).toMatchObject({ queued: 1000 })
    for (const change of CHANGES) {
      other.exec(change)
      const { byTopic, oldest, ...counts } = await inbox.statistics()
      expect(counts, change).toEqual(countRows(other))
      const all = Object.values(byTopic)
      for (const [name, count] of Object.entries(counts)) {
        const sum = all.reduce((total, topic) => total + topic[name as keyof typeof counts], 0)
        expect(sum, `${name} after ${change}`).toBe(count)
      }
      expect(oldest === undefined).toBe(counts.queued + counts.running + counts.failed === 0)
    }
    expect((await inbox.statistics()).byTopic).toEqual({})
  })

  it('count right around the number of deliveries from which on others are counted', async () => {
    const file = createFile()
    const inbox = openInbox(file)
    const other = connect(file)
    for (let due = 95; due <= 105; due += 5) {
      other.exec('DELETE FROM hooklayer_deliveries')
      addRows(other, due + 50)
      other.exec(`UPDATE hooklayer_deliveries SET topic = 'orders.place';
        UPDATE hooklayer_deliveries SET due_at = ${LATER} WHERE due_at > ${due}`)
      expect(await inbox.statistics()).toMatchObject({ queued: due, failed: 50, running: 0 })
    }
  })

  it('count no change that was rolled back', async () => {
    const file = createFile()
    const inbox = openInbox(file)
    const other = connect(file)
    addRows(other, 10)
    other.exec('BEGIN; UPDATE hooklayer_deliveries SET state = 2; ROLLBACK')
    expect(await inbox.statistics()).toMatchObject({ queued: 10, dead: 0 })
  })

  it('count by topic', async () => {
    const inbox = openInbox(createFile())
    await putAll(inbox, [
      createStored('one', { topic: 'orders.place' }),
      createStored('two', { topic: 'orders.place' }),
      createStored('three', { topic: 'customers.create' }),
    ])
    const none = { queued: 0, running: 0, failed: 0, unhandled: 0, dead: 0 }
    expect((await inbox.statistics()).byTopic).toEqual({
      'orders.place': { ...none, queued: 2 },
      'customers.create': { ...none, queued: 1 },
    })
  })

  it('do not forget the rows of a file of version 0.1', async () => {
    const file = createFile()
    await createSqliteInbox({ file }).close()
    const database = connect(file)
    addRows(database, 100)
    database.exec(`UPDATE hooklayer_deliveries SET state = 2 WHERE seq <= 10;
      UPDATE hooklayer_deliveries SET state = 3 WHERE seq BETWEEN 11 AND 30;
      DROP TRIGGER hooklayer_count_inserted; DROP TRIGGER hooklayer_count_updated;
      DROP TRIGGER hooklayer_count_deleted; DROP TABLE hooklayer_counts; DROP INDEX hooklayer_leased;
      DROP INDEX hooklayer_oldest`)
    for (let at = 0; at < 2; at += 1) {
      const inbox = createSqliteInbox({ file })
      expect(await inbox.statistics()).toMatchObject({ queued: 70, dead: 10 })
      await inbox.close()
    }
  })

  it.each(['queued', 'failed'])(
    'do not take longer when more is %s, and neither does a put that counts',
    {
      timeout: 60_000,
    },
    async (state) => {
      const [small, large] = [createFile(), createFile()]
      const files = [
        [small, 1000],
        [large, 200_000],
      ] as const
      const times = []
      for (const [file, count] of files) {
        const inbox = openInbox(file, { maxQueued: 100 })
        const other = connect(file)
        addRows(other, count)
        if (state === 'failed') other.exec('UPDATE hooklayer_deliveries SET due_at = 9000000000000000 + seq')
        expect(await inbox.statistics()).toMatchObject({ [state]: count })
        const statisticsMs = await measure(20, () => inbox.statistics())
        // An inbox that is full counts with each put.
        const countMs = await measure(20, () => inbox.put(createStored('full')))
        times.push({ statisticsMs, countMs })
      }
      const [one, other] = times
      expect((other?.statisticsMs ?? Number.NaN) / (one?.statisticsMs ?? 0)).toBeLessThan(5)
      expect((other?.countMs ?? Number.NaN) / (one?.countMs ?? 0)).toBeLessThan(5)
    },
  )
})
