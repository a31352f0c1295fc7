import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createSqliteStore, type SqliteDatabase } from 'hooklayer/stores/sqlite'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { thrownBy } from '../deliveries.ts'

type Location = { readonly file: string } | { readonly database: SqliteDatabase }

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-sqlite-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function createTextFile(folder: string): string {
  const file = join(folder, 'text')
  writeFileSync(file, 'no database '.repeat(1000))
  return file
}

/** A database whose pages are overwritten, except the first one. */
function createDamaged(folder: string, create: Create): string {
  const file = join(folder, 'damaged.sqlite')
  create({ file }).close()
  const database = new Libsql(file)
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
  const length = statSync(file).size - PAGE
  const opened = openSync(file, 'r+')
  writeSync(opened, new Uint8Array(length).fill(0xff), 0, length, PAGE)
  closeSync(opened)
  return file
}

/** A database with a row that is missing in an index. */
function createIncomplete(folder: string, create: Create): string {
  const file = join(folder, 'incomplete.sqlite')
  create({ file }).close()
  const database = new Libsql(file)
  database.exec(`
    pragma writable_schema = on;
    create temp table hidden as select * from sqlite_schema where name in ('hooklayer_expires_at', 'hooklayer_dead');
    delete from sqlite_schema where name in (select name from hidden);
    pragma writable_schema = reset`)
  const row = 'insert into hooklayer (key, leased_until, expires_at) values (1, 1, 1)'
  const delivery = 'insert into hooklayer_deliveries (id, topic, received_at, state, due_at) values (1, 1, 1, 2, 1)'
  const isStore = database.prepare("select 1 from sqlite_schema where name = 'hooklayer'").get()
  database.exec(isStore ? row : delivery)
  database.exec('pragma writable_schema = on; insert into sqlite_schema select * from hidden')
  database.close()
  return file
}

type Create = (location: Location) => { close(): Promise<void> }

const PAGE = 4096

describe.each<[string, Create]>([
  ['inbox', createSqliteInbox],
  ['store', createSqliteStore],
])('the location of the SQLite %s', (_, create) => {
  it.each([
    ['in a folder that does not exist', (folder: string) => join(folder, 'missing', 'hooklayer.sqlite')],
    ['that is a folder', (folder: string) => mkdirSync(join(folder, 'one'), { recursive: true }) ?? ''],
    ['that is not a database', createTextFile],
    ['that is damaged', createDamaged],
    ['with an index that lacks a row', createIncomplete],
  ])('is refused at once if it is a file %s, by its name', (_, prepare) => {
    const file = prepare(newFolder(), create)
    const error = thrownBy(() => create({ file }))
    expect(error).toMatchObject({
      name: 'Error',
      message: expect.stringContaining(`The SQLite database ${file} cannot be used.`),
      cause: expect.any(Error),
    })
  })

  it.each([{}, { file: '' }, { file: 7 }, { file: ':memory:' }, { database: {} }])('is not %j', (location) => {
    const message = 'SQLite needs either `file`, the path of a database, or `database`, an open database.'
    expect(thrownBy(() => create(location as Location))).toEqual(new TypeError(message))
  })

  it('creates a file with its tables at once, in WAL mode', async () => {
    const file = join(newFolder(), 'hooklayer.sqlite')
    await create({ file }).close()
    const database = new Libsql(file)
    expect(database.prepare('pragma journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    const { tables } = database.prepare("select count(*) as tables from sqlite_schema where type = 'table'").get() as {
      tables: number
    }
    expect(tables).toBe(3)
    database.close()
  })
})

/** Starts another process that writes to a file, not in WAL mode yet, for half a second. */
async function writeElsewhere(file: string): Promise<void> {
  const script = `
    const database = new (require('libsql'))(process.argv[1])
    database.exec('begin immediate; create table theirs (id)')
    console.log('writing')
    setTimeout(() => database.exec('commit'), 500)`
  const child = spawn(process.execPath, ['-e', script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}

describe('a SQLite file that another process is creating', () => {
  it('is waited for', async () => {
    const file = join(newFolder(), 'hooklayer.sqlite')
    await writeElsewhere(file)
    const store = createSqliteStore({ file })
    expect(await store.reserve('key', { leaseMs: 1000, version: undefined })).toMatchObject({ state: 'reserved' })
    await store.close()
  })
})

describe('a SQLite database in memory', () => {
  it('is refused for an inbox, which would lose what it has acknowledged', () => {
    const database = new Libsql(':memory:')
    onTestFinished(() => void database.close())
    const message = "The SQLite database must be a file on a local disk: its journal mode is 'memory', not WAL."
    expect(thrownBy(() => createSqliteInbox({ database }))).toEqual(new Error(message))
  })
})
