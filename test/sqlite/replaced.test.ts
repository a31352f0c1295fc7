import { renameSync, rmSync } from 'node:fs'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSeveral, createStored, putAll } from '../../src/contracts/inbox/harness.ts'
import { rejection } from '../deliveries.ts'
import { connect, createFile } from './folder.ts'

const LOSSES: [string, (file: string) => unknown][] = [
  ['was deleted', (file) => rmSync(file)],
  ['was deleted with its log', (file) => ['', '-wal', '-shm'].map((end) => rmSync(file + end))],
  ['lost its log', (file) => rmSync(`${file}-wal`)],
  [
    'was replaced',
    async (file) => {
      const other = createFile()
      await createSqliteInbox({ file: other }).close()
      renameSync(other, file)
    },
  ],
]

describe.each(LOSSES)('a SQLite file that %s while it is open', (_, lose) => {
  it('acknowledges no delivery, and says what happened', async () => {
    const file = createFile()
    const inbox = createSqliteInbox({ file })
    onTestFinished(() => inbox.close())
    await putAll(inbox, [createStored('before')])
    await lose(file)
    for (const { id } of createSeveral(3, 'after')) {
      const error = await rejection(inbox.put(createStored(id)))
      expect(String(error)).toContain('was deleted or replaced while it was open')
      expect(String(error)).toContain(file)
    }
  })

  it('acknowledges no delivery on a database that was given', async () => {
    const file = createFile()
    const inbox = createSqliteInbox({ database: connect(file) })
    await putAll(inbox, [createStored('before')])
    await lose(file)
    expect(String(await rejection(inbox.put(createStored('after'))))).toContain('was deleted or replaced')
  })

  it('records no event, and says what happened', async () => {
    const file = createFile()
    const store = createSqliteStore({ file })
    onTestFinished(() => store.close())
    const lease = { leaseMs: 1000, version: undefined }
    await store.reserve('before', lease)
    await lose(file)
    expect(String(await rejection(store.reserve('after', lease)))).toContain('was deleted or replaced')
  })
})

describe('a SQLite file that was moved away and back', () => {
  it('is used again', async () => {
    const file = createFile()
    const inbox = createSqliteInbox({ file })
    onTestFinished(() => inbox.close())
    renameSync(file, `${file}-moved`)
    expect(await rejection(inbox.put(createStored('one')))).toBeInstanceOf(Error)
    renameSync(`${file}-moved`, file)
    expect(await inbox.put(createStored('one'))).toBe('stored')
  })
})
