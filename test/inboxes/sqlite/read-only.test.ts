import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Inbox, PermanentError } from 'hooklayer'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import Libsql from 'libsql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createScene, createSeveral, createStored, putAll } from '../../../src/contracts/inbox/harness.ts'
import { collect } from '../../management/harness.ts'
import { createFile } from '../../sqlite/folder.ts'
import { startProcess } from './process.ts'

function openReadOnly(file: string): Inbox {
  const inbox = createSqliteInbox({ file, readOnly: true })
  onTestFinished(() => inbox.close())
  return inbox
}

/** All that could be changed of a file and what is beside it. */
function describeFolder(file: string): unknown {
  const folder = dirname(file)
  return readdirSync(folder).map((name) => {
    const { mode, mtimeNs, ino } = statSync(`${folder}/${name}`, { bigint: true })
    const digest = createHash('sha256')
      .update(readFileSync(`${folder}/${name}`))
      .digest('hex')
    return { name, mode, mtimeNs, ino, digest }
  })
}

async function readAll(inbox: Inbox): Promise<unknown> {
  const listed = await collect(inbox.list({ search: 'searched' }))
  const dead = await collect(inbox.deadLetters.list())
  await inbox.deadLetters.get(String(dead[0]?.id))
  const { queued, dead: count } = await inbox.statistics()
  return { listed: listed.map(({ id }) => id), dead: dead.map(({ id }) => id), queued, count }
}

async function fill(file: string): Promise<Inbox> {
  const { consume, waitFor } = await createScene({
    start: () => ({ open: () => createSqliteInbox({ file }) }),
    timeoutMs: 10_000,
    isDurable: true,
  })
  const inbox = createSqliteInbox({ file })
  await putAll(inbox, [createStored('bad')])
  const worker = consume(inbox, () => Promise.reject(new PermanentError('no use')))
  await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ dead: 1 }))
  await worker.stop()
  await putAll(inbox, [createStored('searched'), ...createSeveral(5, 'more')])
  return inbox
}

/** libsql leaves an empty log where the other drivers leave none. */
async function closeEntirely(file: string, inbox: Inbox): Promise<void> {
  await inbox.close()
  expect(statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0).toBe(0)
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
}

const EXPECTED = { listed: ['searched'], dead: ['bad'], queued: 6, count: 1 }

describe('a SQLite inbox that is opened read-only', () => {
  it('writes nothing to a file that was closed, nor beside it', async () => {
    const file = createFile('with #, ? and %20.db')
    await closeEntirely(file, await fill(file))
    const before = describeFolder(file)
    const inbox = openReadOnly(file)
    expect(await readAll(inbox)).toEqual(EXPECTED)
    expect(describeFolder(file)).toEqual(before)
    await inbox.close()
    expect(describeFolder(file)).toEqual(before)
  })

  it('writes nothing to a file that is in use, and sees what was written last', async () => {
    const file = createFile()
    await (await fill(file)).close()
    // In a process of its own: connections of one process share the `-shm`.
    const worker = startProcess('hang', file, 'child', '1', '600000')
    await worker.waitForMessage('1 searched')
    await sleep(500) // Until its last checkpoint is over.
    const inbox = openReadOnly(file)
    const before = describeFolder(file)
    expect(await readAll(inbox)).toEqual({ ...EXPECTED, queued: 2 })
    expect(await inbox.statistics()).toMatchObject({ running: 4 })
    await inbox.close()
    expect(describeFolder(file)).toEqual(before)
  })

  it('writes nothing to a file whose process was killed', async () => {
    const file = createFile()
    const child = startProcess('put-and-die', file)
    await child.ended
    expect(existsSync(`${file}-wal`)).toBe(true)
    const before = describeFolder(file)
    const inbox = openReadOnly(file)
    expect(await inbox.statistics()).toMatchObject({ queued: 1 })
    await inbox.close()
    expect(describeFolder(file)).toEqual(before)
  })

  it('does not give what is half written by another process that has opened the file meanwhile', async () => {
    const file = createFile()
    await closeEntirely(file, await fill(file))
    const inbox = openReadOnly(file)
    const used = createSqliteInbox({ file })
    await putAll(used, [createStored('meanwhile')])
    await expect(inbox.statistics()).rejects.toThrow('Another process has opened the SQLite database')
    await used.close()
    await expect(inbox.statistics()).rejects.toThrow('Another process has opened the SQLite database')
    expect(await openReadOnly(file).statistics()).toMatchObject({ queued: 7 })
  })

  it('rejects what would write', async () => {
    const file = createFile()
    await closeEntirely(file, await fill(file))
    const before = describeFolder(file)
    const inbox = openReadOnly(file)
    for (const write of [
      () => inbox.put(createStored('new')),
      () => inbox.deadLetters.retry('all'),
      () => inbox.deadLetters.discard('bad'),
      () => inbox.erase({ type: 'orders', id: 'any' }).then(() => inbox.deadLetters.retry('bad')),
    ]) {
      await expect(write()).rejects.toThrow('was opened with `readOnly`, so nothing is written')
    }
    expect(describeFolder(file)).toEqual(before)
  })

  it('does not create a file that does not exist', () => {
    const file = createFile()
    expect(() => openReadOnly(file)).toThrow(`The SQLite database ${file} cannot be read.`)
    expect(readdirSync(dirname(file))).toEqual([])
  })

  it('says that a file has no tables of an inbox, or those of an earlier version', () => {
    const file = createFile()
    const database = new Libsql(file)
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE hooklayer_deliveries (seq INTEGER PRIMARY KEY)')
    database.close()
    const before = readdirSync(dirname(file))
    expect(() => openReadOnly(file)).toThrow('has no tables of this kind, or those of an earlier version')
    expect(readdirSync(dirname(file))).toEqual(before)
  })

  it('refuses the option for a database that is open already', () => {
    const database = new Libsql(createFile())
    onTestFinished(() => void database.close())
    const wrong = { database, readOnly: true }
    expect(() => createSqliteInbox(wrong)).toThrow(
      new TypeError('createSqliteInbox: `readOnly` is not an option for a `database`.'),
    )
  })
})
