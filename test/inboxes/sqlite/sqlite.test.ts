import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import Database from 'libsql'
import { it } from 'vitest'
import type { InboxPlace } from '../../../src/contracts/inbox/harness.ts'
import { testInbox } from '../../../src/contracts/inbox/inbox.ts'
import { createFolder, createSqlitePlace } from './place.ts'

function createLibsqlPlace(): InboxPlace {
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
  it.skip('The SQLite inbox on node:sqlite is not tested: this Node does not have it')
}
