import { copyFileSync, statSync } from 'node:fs'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createStored } from '../../src/contracts/inbox/harness.ts'
import { rejection, thrownBy } from '../deliveries.ts'
import { addRows, connect, createFile, measure } from './folder.ts'

interface Engine {
  /** Writes one thing. */
  write(name: string): Promise<unknown>
  close(): Promise<void>
}

interface Kind {
  open(file: string): Engine
  /** An index, and SQL for a row that belongs into it. */
  readonly index: string
  readonly row: string
  /** SQL for many rows. */
  readonly rows: string
}

const NUMBERS = 'WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 40000)'

const KINDS: [string, Kind][] = [
  [
    'an inbox',
    {
      open(file) {
        const inbox = createSqliteInbox({ file })
        return { write: (name) => inbox.put(createStored(name)), close: () => inbox.close() }
      },
      index: 'hooklayer_dead',
      row: "INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at) VALUES ('lost', 'a.b', 1, 2, 1)",
      rows: `INSERT INTO hooklayer_deliveries (id, topic, received_at, state, due_at)
        ${NUMBERS} SELECT 'row-' || n, 'a.b', n, 0, n FROM numbers`,
    },
  ],
  [
    'a store',
    {
      open(file) {
        const store = createSqliteStore({ file })
        return {
          write: (name) => store.reserve(name, { leaseMs: 1000, version: undefined }),
          close: () => store.close(),
        }
      },
      index: 'hooklayer_expires_at',
      row: "INSERT INTO hooklayer (key, leased_until, expires_at) VALUES ('lost', 1, 9e12)",
      rows: `INSERT INTO hooklayer (key, leased_until, expires_at) ${NUMBERS} SELECT 'row-' || n, 1, 9e12 FROM numbers`,
    },
  ],
]

/** A file that is too large to be checked at each start, with a row that an index lacks. */
async function createDamaged({ open, index, row, rows }: Kind): Promise<string> {
  const file = createFile()
  await open(file).close()
  const database = new Libsql(file)
  database.exec(`${rows};
    PRAGMA writable_schema = ON;
    CREATE TEMP TABLE hidden AS SELECT * FROM sqlite_schema WHERE name = '${index}';
    DELETE FROM sqlite_schema WHERE name = '${index}';
    PRAGMA writable_schema = RESET;
    ${row};
    PRAGMA writable_schema = ON; INSERT INTO sqlite_schema SELECT * FROM hidden;
    PRAGMA wal_checkpoint(TRUNCATE)`)
  database.close()
  expect(statSync(file).size).toBeGreaterThan(1024 * 1024)
  return file
}

describe.each(KINDS)('a large damaged file of %s', (_, kind) => {
  it('is not written to for long when it was closed before', { timeout: 30_000 }, async () => {
    const file = await createDamaged(kind)
    const { write, close } = kind.open(file)
    onTestFinished(close)
    await write('at once')
    const message = await vi.waitFor(async () => String(await rejection(write(crypto.randomUUID()))), 20_000)
    expect(message).toContain(`The SQLite database ${file} cannot be used.`)
  })

  it('is not used at all when it was not closed before', async () => {
    const [file, copy] = [await createDamaged(kind), createFile()]
    connect(file).exec('CREATE TABLE other (id)')
    for (const end of ['', '-wal']) copyFileSync(file + end, copy + end)
    expect(String(thrownBy(() => kind.open(copy)))).toContain(`The SQLite database ${copy} cannot be used.`)
  })

  it('does not delay the start of a process while another one uses it', async () => {
    const file = await createDamaged(kind)
    connect(file).exec('CREATE TABLE other (id)')
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    const { write, close } = kind.open(file)
    await write('at once')
    await close()
  })

  it('can be closed while it is checked', async () => {
    const file = await createDamaged(kind)
    const { close } = kind.open(file)
    await new Promise((resolve) => setTimeout(resolve, 1020))
    await close()
    expect(statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0)
  })
})

describe('a SQLite file that was closed', () => {
  it.each(['queued', 'failed'])('does not take longer to open when more is %s', { timeout: 60_000 }, async (state) => {
    const [small, large] = [createFile(), createFile()]
    for (const [file, count] of [
      [small, 1000],
      [large, 200_000],
    ] as const) {
      await createSqliteInbox({ file }).close()
      const database = connect(file)
      addRows(database, count)
      if (state === 'failed')
        database.exec('UPDATE hooklayer_deliveries SET due_at = 9000000000000000 + seq, attempts = 1')
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      database.close()
    }
    const open = (file: string) => () => createSqliteInbox({ file }).close()
    const [shortMs, longMs] = [await measure(5, open(small)), await measure(5, open(large))]
    expect(longMs / shortMs).toBeLessThan(3)
  })
})
