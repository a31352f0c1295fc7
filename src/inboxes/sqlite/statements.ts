import type { Statements } from '../../sqlite/statements.ts'
import { MAX_STORED_BYTES } from '../queue/compressed-body.ts'
import { BODY_DAMAGED } from '../queue/queue.ts'
import { COUNT_STATEMENTS, COUNTS } from './counts.ts'

/**
 * `state` of a delivery: 0 is open; it waits until `due_at`, or has a `token` and is leased until `due_at`. 1 is open
 * and waits for an earlier delivery of its group. 2 is dead since `due_at`. 3 is handled or discarded; its id is known
 * until `due_at`. 4 is open, but no worker that saw it has a handler for its topic. `seq` is the order within a group.
 * Bodies have a table of their own, so that updating a delivery does not write its body again.
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
  ${COUNTS}`

/** Columns that the tables of version 0.1 do not have. Processes of that version go on working beside this one. */
export const ADDED_COLUMNS = [{ table: 'hooklayer_deliveries', name: 'signature', type: 'TEXT' }]

/** What a worker would count without end otherwise. */
const ATTEMPTS = 'max(0, min(attempts, 1000000))'
/** The code of a dead letter. One without a code was not written by this package. */
const CODE = `coalesce(code, '${BODY_DAMAGED.code}')`
/**
 * What is read of a delivery. Whoever can write to the file can write any value, and a damaged page has any bytes. A
 * row that cannot be read would be the next one for ever. libsql ends the process when it reads text that is not UTF-8,
 * so text is read as bytes. `node:sqlite` refuses to read whole numbers over 2^53.
 */
const COLUMNS = `CAST(seq AS TEXT) AS seq, CAST(id AS BLOB) AS id, CAST(topic AS BLOB) AS topic,
  CAST(received_at AS REAL) AS received_at, CAST(grp AS BLOB) AS grp, ${ATTEMPTS} AS attempts,
  CAST(signature AS BLOB) AS signature`
const BODY = `CASE WHEN length(body) <= ${MAX_STORED_BYTES} THEN body END AS body`
const DEATH = `CAST(due_at AS REAL) AS due_at, CAST(${CODE} AS BLOB) AS code, CAST(message AS BLOB) AS message`
const LEASED = 'WHERE seq = ? AND token = ? AND state = 0'
const LAST = '(SELECT max(seq) FROM hooklayer_deliveries)'

export const STATEMENTS = {
  insert: `INSERT INTO hooklayer_deliveries (id, topic, received_at, grp, signature, due_at, state)
    VALUES (?, ?, ?, ?, ?, ?, (SELECT count(*) FROM hooklayer_deliveries WHERE grp = ? AND state = 0))
    ON CONFLICT (id) DO NOTHING`,
  insertBody: 'INSERT INTO hooklayer_bodies SELECT seq, ? FROM hooklayer_deliveries WHERE id = ?',
  isKnown: 'SELECT 1 FROM hooklayer_deliveries WHERE id = ? AND (state < 3 OR due_at > ?)',
  forget: 'DELETE FROM hooklayer_deliveries WHERE id = ? AND state = 3 AND due_at <= ?',
  sweep: `DELETE FROM hooklayer_deliveries
    WHERE seq IN (SELECT seq FROM hooklayer_deliveries WHERE state = 3 AND due_at <= ? LIMIT 2)`,
  // Finds the oldest delivery of each topic that has capacity left, and takes the oldest of these. So it does not scan
  // the deliveries of topics without capacity. A delivery whose body is missing is found too: it could block the queue
  // for ever otherwise.
  findReady: `WITH RECURSIVE topics (topic) AS (
      SELECT min(topic) FROM hooklayer_deliveries WHERE state = 0
      UNION ALL
      SELECT (SELECT min(topic) FROM hooklayer_deliveries WHERE state = 0 AND topic > topics.topic)
      FROM topics WHERE topic IS NOT NULL
    ), oldest (seq) AS (
      SELECT (SELECT seq FROM hooklayer_deliveries WHERE state = 0 AND topic = topics.topic AND due_at <= ?
        ORDER BY due_at, seq LIMIT 1)
      FROM topics WHERE topic NOT IN (SELECT value FROM json_each(?))
    )
    SELECT ${COLUMNS}, ${BODY}, token IS NOT NULL AS is_lost
    FROM hooklayer_deliveries LEFT JOIN hooklayer_bodies USING (seq)
    WHERE seq = (SELECT seq FROM oldest JOIN hooklayer_deliveries USING (seq) ORDER BY due_at, seq LIMIT 1)`,
  lease: `UPDATE hooklayer_deliveries SET token = ?, due_at = ?, attempts = ${ATTEMPTS} + 1 WHERE seq = ?`,
  rename: `UPDATE OR IGNORE hooklayer_deliveries SET id = 'damaged-' || seq WHERE seq = ?`,
  renew: `UPDATE hooklayer_deliveries SET due_at = ? ${LEASED}`,
  reschedule: `UPDATE hooklayer_deliveries SET due_at = ?, token = NULL ${LEASED}`,
  putBack: `UPDATE hooklayer_deliveries SET due_at = ?, token = NULL, attempts = attempts - 1 ${LEASED}`,
  markHandled: `UPDATE hooklayer_deliveries SET state = 3, due_at = ?, token = NULL ${LEASED}`,
  markDead: `UPDATE hooklayer_deliveries
    SET state = 2, due_at = ?, attempts = ?, token = NULL, code = ?, message = ? ${LEASED}`,
  openNext: `UPDATE hooklayer_deliveries SET state = 0
    WHERE seq = (SELECT min(seq) FROM hooklayer_deliveries
      WHERE state = 1 AND grp = (SELECT grp FROM hooklayer_deliveries WHERE seq = ?))`,
  listDead: `SELECT ${COLUMNS}, ${DEATH} FROM hooklayer_deliveries
    WHERE state = 2 AND due_at BETWEEN ? AND ? AND (due_at, CAST(id AS BLOB)) > (?, ?)
    AND topic = coalesce(?, topic) AND ${CODE} = coalesce(?, ${CODE})
    ORDER BY hooklayer_deliveries.due_at, hooklayer_deliveries.id LIMIT 100`,
  getDead: `SELECT ${COLUMNS}, ${BODY}, ${DEATH}
    FROM hooklayer_deliveries LEFT JOIN hooklayer_bodies USING (seq) WHERE id = ? AND state = 2`,
  revive: `UPDATE hooklayer_deliveries AS one
    SET due_at = ?, attempts = 0, code = NULL, message = NULL, seq = ${LAST} + 1,
      state = (SELECT count(*) FROM hooklayer_deliveries AS first WHERE first.grp = one.grp AND first.state = 0)
    WHERE id = ? AND state = 2`,
  moveBody: `UPDATE hooklayer_bodies SET seq = ${LAST} WHERE seq = ?`,
  discard: 'UPDATE hooklayer_deliveries SET state = 3, due_at = ?, code = NULL, message = NULL WHERE seq = ?',
  findDead: 'SELECT CAST(seq AS TEXT) AS seq FROM hooklayer_deliveries WHERE id = ? AND state = 2',
  dropBody: 'DELETE FROM hooklayer_bodies WHERE seq = ?',
  ...COUNT_STATEMENTS,
} as const

export type InboxStatements = Statements<keyof typeof STATEMENTS>
