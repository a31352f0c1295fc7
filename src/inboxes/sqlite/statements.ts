import type { Statements } from '../../sqlite/statements.ts'
import { BODY, CODE, COLUMNS, DEATH } from './columns.ts'
import { COUNT_STATEMENTS, COUNTS } from './counts.ts'
import { LEASE_STATEMENTS, STATE_IN_GROUP } from './lease-statements.ts'
import { SCAN_STATEMENTS } from './scan-statements.ts'

/**
 * `state` of a delivery: 0 is open; it waits until `due_at`, or has a `token` and is leased until `due_at`. 1 is open
 * and waits for an earlier delivery of its group. 2 is dead since `due_at`. 3 is handled or discarded; its id is known
 * until `due_at`. 4 was set aside at `due_at`: a worker that saw it has no handler for its topic. It may have the
 * `token` of a lease that is over. `code` and `message` are those of the last attempt that failed, and `details` are
 * JSON: handler, cause, resource and the most attempts. `seq` is the order of storing. Bodies have a table of their
 * own, so that updating a delivery does not write its body again.
 */
export const TABLES = `
  CREATE TABLE IF NOT EXISTS hooklayer_deliveries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    topic TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    grp TEXT,
    state INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    code TEXT,
    message TEXT
  ) STRICT;
  CREATE TABLE IF NOT EXISTS hooklayer_bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS hooklayer_open ON hooklayer_deliveries (topic, due_at, seq) WHERE state = 0;
  CREATE UNIQUE INDEX IF NOT EXISTS hooklayer_first ON hooklayer_deliveries (grp) WHERE state = 0 AND grp IS NOT NULL;
  CREATE INDEX IF NOT EXISTS hooklayer_behind ON hooklayer_deliveries (grp, seq) WHERE state = 1;
  CREATE INDEX IF NOT EXISTS hooklayer_dead ON hooklayer_deliveries (due_at, id) WHERE state = 2;
  CREATE INDEX IF NOT EXISTS hooklayer_done ON hooklayer_deliveries (due_at) WHERE state = 3;
  CREATE INDEX IF NOT EXISTS hooklayer_unhandled ON hooklayer_deliveries (topic, due_at, seq) WHERE state = 4;
  ${COUNTS}`

/** Columns that the tables of version 0.1 do not have. Processes of that version go on working beside this one. */
export const ADDED_COLUMNS = [
  { table: 'hooklayer_deliveries', name: 'signature', type: 'TEXT' },
  { table: 'hooklayer_deliveries', name: 'traceparent', type: 'TEXT' },
  { table: 'hooklayer_deliveries', name: 'losses', type: 'INTEGER NOT NULL DEFAULT 0' },
  { table: 'hooklayer_deliveries', name: 'details', type: 'TEXT' },
]

const LAST = '(SELECT max(seq) FROM hooklayer_deliveries)'

export const STATEMENTS = {
  insert: `INSERT INTO hooklayer_deliveries (id, topic, received_at, grp, signature, traceparent, due_at, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT count(*) FROM hooklayer_deliveries WHERE grp = ? AND state = 0))
    ON CONFLICT (id) DO NOTHING`,
  insertBody: 'INSERT INTO hooklayer_bodies SELECT seq, ? FROM hooklayer_deliveries WHERE id = ?',
  isKnown: 'SELECT 1 FROM hooklayer_deliveries WHERE id = ? AND (state <> 3 OR due_at > ?)',
  forget: 'DELETE FROM hooklayer_deliveries WHERE id = ? AND state = 3 AND due_at <= ?',
  findOldIds: 'SELECT CAST(seq AS TEXT) AS seq FROM hooklayer_deliveries WHERE state = 3 AND due_at <= ? LIMIT ?',
  dropId: 'DELETE FROM hooklayer_deliveries WHERE seq = ?',
  listDead: `SELECT ${COLUMNS}, ${DEATH} FROM hooklayer_deliveries
    WHERE state = 2 AND due_at BETWEEN ? AND ? AND (due_at, CAST(id AS BLOB)) > (?, ?)
    AND topic = coalesce(?, topic) AND ${CODE} = coalesce(?, ${CODE})
    ORDER BY hooklayer_deliveries.due_at, hooklayer_deliveries.id LIMIT 100`,
  getDead: `SELECT ${COLUMNS}, ${BODY}, ${DEATH}
    FROM hooklayer_deliveries LEFT JOIN hooklayer_bodies USING (seq) WHERE id = ? AND state = 2`,
  revive: `UPDATE hooklayer_deliveries AS one
    SET due_at = ?, attempts = 0, losses = 0, code = NULL, message = NULL, details = NULL, seq = ${LAST} + 1,
      state = ${STATE_IN_GROUP}
    WHERE id = ? AND state = 2`,
  moveBody: `UPDATE hooklayer_bodies SET seq = ${LAST} WHERE seq = ?`,
  discard: `UPDATE hooklayer_deliveries SET state = 3, due_at = ?, token = NULL, code = NULL, message = NULL,
    details = NULL, signature = NULL, traceparent = NULL WHERE seq = ?`,
  findOldDead: `SELECT CAST(seq AS TEXT) AS seq FROM hooklayer_deliveries WHERE state = 2 AND due_at <= ?
    ORDER BY due_at LIMIT ?`,
  findDead: 'SELECT CAST(seq AS TEXT) AS seq FROM hooklayer_deliveries WHERE id = ? AND state = 2',
  dropBody: 'DELETE FROM hooklayer_bodies WHERE seq = ?',
  ...LEASE_STATEMENTS,
  ...COUNT_STATEMENTS,
  ...SCAN_STATEMENTS,
} as const

export type InboxStatements = Statements<keyof typeof STATEMENTS>
