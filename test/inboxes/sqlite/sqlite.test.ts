import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import Database from 'libsql'
import { it } from 'vitest'
import type { Place } from '../../contracts/inbox/harness.ts'
import { testInbox } from '../../contracts/inbox/inbox.ts'
import { createFolder, createSqlitePlace } from './place.ts'

function createLibsqlPlace(): Place {
  const { file, remove } = createFolder()
  const databases: Database.Database[] = []
  return {
    open(options) {
      const database = new Database(file)
      databases.push(database)
      return createSqliteInbox({ database, ...options })
    },
    end() {
      for (const database of databases) database.close()
      remove()
    },
  }
}

testInbox('the SQLite inbox, on databases of libsql', createLibsqlPlace)

if (process.getBuiltinModule('node:sqlite' as 'node:fs')) {
  testInbox('the SQLite inbox, on a file for node:sqlite', createSqlitePlace)
} else {
  it.skip('the SQLite inbox, on a file for node:sqlite: from Node 22.13 on', () => {})
}
