import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import type { InboxPlace } from '../../../src/contracts/inbox/harness.ts'

export interface Folder {
  readonly file: string
  remove(): void
}

/** A temporary folder for a database. */
export function createFolder(): Folder {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-inbox-'))
  return { file: join(folder, 'inbox.sqlite'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export function createSqlitePlace(): InboxPlace {
  const { file, remove } = createFolder()
  return { open: (options) => createSqliteInbox({ file, ...options }), end: remove }
}
