import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createSqliteStore, type SqliteDatabase, type SqliteStore } from 'hooklayer/stores/sqlite'
import Libsql from 'libsql'
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { COMPLETE_OPTIONS, LONG_MS, reserveKey, reserveOptions } from '../../src/contracts/store/reservations.ts'
import { testStore } from '../../src/contracts/store/store.ts'
import { prepare } from '../../src/sqlite/database.ts'
import { findDriver } from '../../src/sqlite/driver.ts'
import { openDatabase } from '../../src/sqlite/open.ts'
import { createTransactions, TABLES } from '../../src/stores/sqlite-transactions.ts'

const RACER = fileURLToPath(new URL('./sqlite-racer.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hooklayer-sqlite-'))
let count = 0
const newFile = () => {
  count += 1
  return join(folder, `${count}.db`)
}

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => void vi.restoreAllMocks())

testStore('the store in a SQLite file', async () => {
  const file = newFile()
  const stores: SqliteStore[] = []
  return {
    async open() {
      const store = createSqliteStore({ file })
      stores.push(store)
      return store
    },
    close: async () => void (await Promise.all(stores.map((store) => store.close()))),
  }
})

/** The drivers that are available. Node has its own from 22.13 on. */
const modules: Record<string, ((file: string) => SqliteDatabase) | undefined> = {
  libsql: (file) => new Libsql(file),
  'node:sqlite': await nodeSqlite(),
}

async function nodeSqlite(): Promise<((file: string) => SqliteDatabase) | undefined> {
  const name = 'node:sqlite'
  const found = await import(/* @vite-ignore */ name).catch(() => undefined)
  return found && ((file) => new found.DatabaseSync(file))
}

for (const [name, open] of Object.entries(modules)) {
  if (!open) {
    it.skip(`${name} is not tested: this Node does not have it`)
    continue
  }
  testStore(`the store in a database of ${name}`, async () => {
    const file = newFile()
    const databases: SqliteDatabase[] = []
    return {
      async open() {
        const database = open(file)
        database.exec('pragma journal_mode = wal')
        databases.push(database)
        return createSqliteStore({ database })
      },
      close: async () => void databases.map((database) => database.close()),
    }
  })
}

describe('the store in SQLite', () => {
  const version = { resource: 'orders/OeRyhjDlje', updatedAt: '2026-02-01T00:00:00.000Z' }
  const older = { ...version, updatedAt: '2026-01-01T00:00:00.000Z' }

  it('is one store for several processes that create one file together', async () => {
    const file = newFile()
    const start = String(Date.now() + 2000)
    const race = () => promisify(execFile)(process.execPath, ['--import', 'tsx', RACER, file, start, '200'])
    const racers = await Promise.all([race(), race(), race()])
    const won: string[] = racers.flatMap(({ stdout }) => JSON.parse(stdout))
    expect(won).toHaveLength(200)
    expect(new Set(won).size).toBe(200)
  })

  it('keeps completed events for another process that opens the file', async () => {
    const file = newFile()
    const first = createSqliteStore({ file })
    await first.complete('key', (await reserveKey(first, 'key')).token, COMPLETE_OPTIONS)
    await first.close()
    const second = createSqliteStore({ file })
    expect(await second.reserve('key', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
    await second.close()
  })

  it('never waits for the disk to reserve an event, only to complete it', async () => {
    const opened = openDatabase({ file: newFile() }, TABLES, { keepsSettings: true })
    onTestFinished(() => opened.close())
    const { database } = opened
    const modes: unknown[] = []
    const exec = (sql: string) => {
      if (sql.startsWith('COMMIT')) modes.push(prepare(database, 'PRAGMA synchronous').get())
      return database.exec(sql)
    }
    const watched = { exec, prepare: (sql: string) => database.prepare(sql), close: () => database.close() }
    const { reserve, complete } = createTransactions({ ...opened, database: watched }, true)
    reserve('key', 'token', LONG_MS, [])
    complete('key', 'token', COMPLETE_OPTIONS)
    const [normal, full] = [1, 2]
    expect(modes).toMatchObject([{ synchronous: normal }, { synchronous: full }])
  })

  it('deletes expired rows, and nothing else', async () => {
    const database = new Libsql(newFile())
    const store = createSqliteStore({ database })
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    for (const [name, retentionMs] of [
      ['expired', 1],
      ['kept', LONG_MS],
    ] as const) {
      const own = { ...version, resource: `orders/${name}` }
      const { token } = await reserveKey(store, name, reserveOptions(LONG_MS, own))
      await store.complete(name, token, { retentionMs, version: own })
    }
    await reserveKey(store, 'held')
    await sleep(5)
    const rows = () =>
      database
        .prepare('select key from hooklayer union all select resource from hooklayer_versions order by 1')
        .all()
        .map((row) => (row as { key: string }).key)
    await reserveKey(store, 'next')
    expect(rows()).toEqual(['expired', 'held', 'kept', 'next', 'orders/expired', 'orders/kept'])
    vi.spyOn(Math, 'random').mockReturnValue(0)
    await reserveKey(store, 'last')
    expect(rows()).toEqual(['held', 'kept', 'last', 'next', 'orders/kept'])
    database.close()
  })

  it('takes part in a transaction of the database: a reservation is committed or rolled back with it', async () => {
    const database = new Libsql(newFile())
    const store = createSqliteStore({ database })
    const handle = async (end: string) => {
      database.exec('begin immediate')
      const { token } = await reserveKey(store, 'key', reserveOptions(LONG_MS, version))
      expect(await store.complete('key', token, { retentionMs: LONG_MS, version })).toBe(true)
      database.exec(end)
    }
    await reserveKey(store, 'first')
    await handle('rollback')
    expect((await reserveKey(store, 'other', reserveOptions(LONG_MS, older))).stale).toBe(false)
    await handle('commit')
    expect(await store.reserve('key', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
    expect((await reserveKey(store, 'another', reserveOptions(LONG_MS, older))).stale).toBe(true)
    database.close()
  })

  it('completes nothing if the version cannot be recorded, and rejects with the error of the database', async () => {
    const database = new Libsql(newFile())
    const store = createSqliteStore({ database })
    const { token } = await reserveKey(store, 'key', reserveOptions(LONG_MS, version))
    database.exec("create trigger full before insert on hooklayer_versions begin select raise(abort, 'no room'); end")
    await expect(store.complete('key', token, { retentionMs: LONG_MS, version })).rejects.toThrow('no room')
    expect(await store.reserve('key', reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    database.exec('drop trigger full')
    expect(await store.complete('key', token, { retentionMs: LONG_MS, version })).toBe(true)
    database.close()
  })

  it('does not change the settings of a given database, which may be in memory or in a transaction', async () => {
    const database = new Libsql(':memory:')
    database.exec('pragma synchronous = off; begin')
    const store = createSqliteStore({ database })
    await reserveKey(store, 'key')
    database.exec('commit')
    expect(await store.reserve('key', reserveOptions(LONG_MS))).toEqual({ state: 'in-progress' })
    expect(database.prepare('pragma synchronous').get([])).toMatchObject({ synchronous: 0 })
    database.close()
  })

  it('rejects when the commit fails', async () => {
    const database = new Libsql(newFile())
    const store = createSqliteStore({ database })
    const { token } = await reserveKey(store, 'held')
    database.exec(`
      pragma foreign_keys = on;
      create table other (id integer primary key);
      create table checked (id references other deferrable initially deferred);
      create trigger inserted after insert on hooklayer begin insert into checked values (1); end;
      create trigger updated after update on hooklayer begin insert into checked values (1); end`)
    const uncommitted = 'FOREIGN KEY constraint failed'
    await expect(store.reserve('key', reserveOptions(LONG_MS))).rejects.toThrow(uncommitted)
    await expect(store.renew('held', token, { leaseMs: LONG_MS, done: ['a'] })).rejects.toThrow(uncommitted)
    await expect(store.complete('held', token, COMPLETE_OPTIONS)).rejects.toThrow(uncommitted)
    await expect(store.release('held', token, { done: [], retentionMs: LONG_MS })).rejects.toThrow(uncommitted)
    database.exec('drop trigger inserted; drop trigger updated')
    await reserveKey(store, 'key')
    expect(await store.complete('held', token, COMPLETE_OPTIONS)).toBe(true)
    database.close()
  })

  /**
   * Lets each lease of a file end an hour later: to its processes that is a clock that was set back by an hour. With
   * the driver of the stores: two SQLite libraries in one process end each other's locks.
   */
  const setClockBack = (file: string) => {
    const database = findDriver().open(file)
    database.exec('update hooklayer set leased_until = leased_until + 3600000')
    database.close()
  }

  it('does not hold an event for an hour because the clock was set back by one', async () => {
    const file = newFile()
    const killed = createSqliteStore({ file })
    const other = createSqliteStore({ file })
    const { token } = await reserveKey(killed, 'key', reserveOptions(300))
    setClockBack(file)
    const begun = performance.now()
    const reserve = () => other.reserve('key', reserveOptions(300))
    const taken = await vi.waitFor(async () => {
      const reservation = await reserve()
      expect(reservation.state).toBe('reserved')
      return reservation
    }, 5000)
    expect(performance.now() - begun).toBeGreaterThan(290)
    expect(await reserve()).toEqual({ state: 'in-progress' })
    expect(await killed.renew('key', token, { leaseMs: 300, done: [] })).toBe(false)
    expect(taken).toMatchObject({ wasCompleted: false })
    await Promise.all([killed.close(), other.close()])
  })

  it('does not end the lease of a living process early, whose clock was set back, or whose leases are longer', async () => {
    const file = newFile()
    const [holder, other] = [createSqliteStore({ file }), createSqliteStore({ file })]
    const { token } = await reserveKey(holder, 'renewed', reserveOptions(300))
    await reserveKey(holder, 'longer', reserveOptions(LONG_MS))
    setClockBack(file)
    for (let i = 0; i < 8; i++) {
      for (const key of ['renewed', 'longer']) {
        expect(await other.reserve(key, reserveOptions(300))).toEqual({ state: 'in-progress' })
      }
      await sleep(100)
      expect(await holder.renew('renewed', token, { leaseMs: 300, done: [] })).toBe(true)
      setClockBack(file)
    }
    await Promise.all([holder.close(), other.close()])
  })

  it('does not fail where integers are read as BigInts', async () => {
    const database = new Libsql(newFile())
    database.defaultSafeIntegers(true)
    expect(database.prepare('select 1 as one').get([])).toMatchObject({ one: 1n })
    const store = createSqliteStore({ database })
    const asking = { ...reserveOptions(LONG_MS, version), names: ['erp'] }
    const { token, wasCompleted } = await reserveKey(store, 'key', asking)
    expect(wasCompleted).toBe(false)
    expect(await store.reserve('key', asking)).toEqual({ state: 'in-progress' })
    expect(await store.renew('key', token, { leaseMs: LONG_MS, done: [] })).toBe(true)
    expect(await store.complete('key', token, { retentionMs: LONG_MS, version, done: [] })).toBe(true)
    expect((await reserveKey(store, 'key', asking)).wasCompleted).toBe(true)
    expect(await store.reserve('key', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
    database.close()
  })

  it('rejects when it is closed, and leaves a given database open', async () => {
    const database = new Libsql(newFile())
    for (const store of [createSqliteStore({ database }), createSqliteStore({ file: newFile() })]) {
      await reserveKey(store, 'key')
      await store.close()
      await expect(store.reserve('key', reserveOptions(LONG_MS))).rejects.toThrow('The SQLite store is closed.')
    }
    expect(database.prepare('select count(*) as keys from hooklayer').get([])).toMatchObject({ keys: 1 })
    database.close()
  })
})
