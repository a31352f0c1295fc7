import type { Inbox } from '../core/inbox/inbox.ts'
import { openDatabase, type SqliteDatabase, type SqliteLocation } from '../sqlite/open.ts'
import { createInbox } from './queue/create-inbox.ts'
import { checkInboxOptions, type InboxOptions } from './queue/queue.ts'
import { createSqliteQueue } from './sqlite/queue.ts'
import { TABLES } from './sqlite/statements.ts'

export type { InboxOptions, SqliteDatabase, SqliteLocation }

export type SqliteInboxOptions = SqliteLocation &
  InboxOptions & {
    /**
     * Milliseconds after which a delivery of a worker that was killed is handed to another; renewed while a worker lives, and to
     * be longer than its event loop ever stands still. Default: 30,000.
     */
    readonly leaseMs?: number
  }

/**
 * An inbox in a SQLite file: `createSqliteInbox({ file: 'hooklayer.sqlite' })`. For all processes of one machine, on a disk of
 * its own, not a network's. What was stored survives a crash and a power cut (WAL, `synchronous = FULL`).
 *
 * `file` is opened with `node:sqlite` (Node 22.13 and later), better-sqlite3 or libsql, whichever is there; a `database` that you
 * have opened with one of them gets WAL, `synchronous = FULL`, a busy timeout of 2 s and the tables `hooklayer_deliveries` and
 * `hooklayer_bodies`, stays yours to close, and must not be inside of a transaction when control goes back to the event loop.
 *
 * SQLite is synchronous: the program stands still while the disk writes, for about 10 ms at most under load, or while another
 * process does, for 2 s at most. A worker looks four times a second for what other processes have stored. Ids that are no longer
 * to be known are deleted, a few at a time, as deliveries are handled. With several processes `maxQueued` may be passed by what
 * the others store within a second.
 *
 * A file is looked through for damage when it is opened, which takes a second for 2 GB. While the disk is full nothing is taken in or
 * handed out, and what was handled meanwhile is recorded when there is room.
 *
 * A body is kept compressed, byte for byte. A delivery whose worker was lost in its last attempt becomes a dead letter with the code
 * `WORKER_LOST`, one whose body was damaged on the disk with `BODY_DAMAGED`.
 *
 * @throws TypeError if an option is unknown or out of range, or there is neither a file nor a database.
 * @throws Error that names the file and what to do, if it cannot be used or there is no driver.
 */
export function createSqliteInbox(options: SqliteInboxOptions): Inbox {
  const { file, database, ...rest } = options
  const limits = checkInboxOptions('createSqliteInbox', rest, ['retentionMs', 'maxQueued', 'leaseMs'])
  const opened = openDatabase(options, TABLES)
  return createInbox(createSqliteQueue(opened, limits), limits.leaseMs)
}
