import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import Database from 'libsql'
import { expect, it, onTestFinished } from 'vitest'
import { createRecording, createStored, type InboxPlace, putAll } from '../../../src/contracts/inbox/harness.ts'
import { testInbox } from '../../../src/contracts/inbox/inbox.ts'
import { waitFor } from '../../wait-for.ts'
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

it('handles the oldest deliveries first, whatever their topics are', async () => {
  const { file, remove } = createFolder()
  const inbox = createSqliteInbox({ file })
  onTestFinished(() => inbox.close().then(remove))
  const topics = ['skus.create', 'orders.place', 'orders.cancel', 'skus.create', 'orders.place', 'orders.cancel']
  await putAll(
    inbox,
    topics.map((topic, at) => createStored(`delivery-${at}`, { topic })),
  )
  const recording = createRecording()
  const onError = (error: unknown) => {
    throw error
  }
  inbox.consume(recording.process, { concurrency: 2, concurrencyByTopic: {}, attempts: 1, delayMs: () => 0, onError })
  await waitFor(() => expect(recording.ended).toHaveLength(topics.length))
  expect(recording.started).toEqual(topics.map((_, at) => `delivery-${at}`))
})
