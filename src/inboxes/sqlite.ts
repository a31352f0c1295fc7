import { checkOptions, oneOf, wrongOption } from '../core/check-options.ts'
import type { Inbox } from '../core/inbox/inbox.ts'
import type { SqliteDatabase } from '../sqlite/database.ts'
import { openDatabase, type SqliteLocation } from '../sqlite/open.ts'
import { createInbox } from './queue/create-inbox.ts'
import { INBOX_RULES, type InboxOptions } from './queue/queue.ts'
import { createSqliteQueue } from './sqlite/queue.ts'
import { ADDED_COLUMNS, TABLES } from './sqlite/statements.ts'

export type { InboxOptions, SqliteDatabase, SqliteLocation }

/**
 * Options of {@link createSqliteInbox}: either `file`, a path, or `database`, one that you have opened with
 * `node:sqlite`, better-sqlite3 or libsql and that stays yours to close.
 */
export type SqliteInboxOptions = SqliteLocation &
  InboxOptions & {
    /**
     * Milliseconds after which a delivery of a lost worker is leased by another. Workers renew their leases, so it must
     * be longer than their event loop ever blocks. Default: 30,000.
     */
    readonly leaseMs?: number | undefined
    /**
     * Only looks at a `file` that exists: nothing is written, neither in it nor beside it. Storing, handling, retrying,
     * discarding and erasing are rejected. It may be a file of another user that other processes write to. Default:
     * false.
     */
    readonly readOnly?: boolean | undefined
  }

const OWNER = 'createSqliteInbox'
const RULES = { ...INBOX_RULES, readOnly: oneOf(false, true) }

/**
 * A durable inbox in a SQLite file, shared by all processes of one machine. Stored deliveries survive a crash and a
 * power cut.
 *
 * - `file`: the path of a database on a local disk, created if it does not exist. It is opened with `node:sqlite` (Node
 *   22.13 or later), better-sqlite3 or libsql, whichever is available.
 * - `database`: an open database instead. It is set to WAL, `synchronous = FULL` and a busy timeout of 2 s. It must not
 *   be inside a transaction when control returns to the event loop.
 * - `retentionMs` (default: 7 days), `maxQueued` (default: 100,000), `leaseMs` (default: 30,000).
 * - `readOnly` (default: false): only looks at a `file`, and writes nothing. Needs Node 22.15 or later, or libsql.
 *
 * It creates the tables `hooklayer_deliveries`, `hooklayer_bodies` and `hooklayer_counts`. SQLite is synchronous: the
 * process blocks while the disk writes. While another process has locked the file, writes wait for up to 4 s without
 * blocking. They are rejected once the file was deleted or replaced, or was found to be damaged.
 *
 * @throws TypeError if an option is unknown or out of range, or if there is neither `file` nor `database`.
 * @throws Error that names the file and what to do, if the file cannot be used or no SQLite driver is installed.
 * @example
 * const inbox = createSqliteInbox({ file: 'deliveries.db' })
 * const receiver = createReceiver({ secrets, inbox })
 * const worker = createWorker({ receiver, inbox })
 * @see docs/durable-inbox.md
 */
export function createSqliteInbox(options: SqliteInboxOptions): Inbox {
  const { readOnly, ...limits } = checkOptions(OWNER, options, RULES, ['file', 'database'])
  if (readOnly && options.database) throw wrongOption(OWNER, 'readOnly', 'is not an option for a `database`')
  const opened = openDatabase(options, TABLES, { addedColumns: ADDED_COLUMNS, readOnly })
  return createInbox(createSqliteQueue(opened, limits), limits.leaseMs)
}
