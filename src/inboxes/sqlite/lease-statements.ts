import { ATTEMPTS, BODY, COLUMNS, LOSSES } from './columns.ts'

const LEASED = 'WHERE seq = ? AND token = ? AND state = 0'
const SEQ = 'CAST(seq AS TEXT) AS seq'
/** A topic is given as bytes: it may be damaged. */
const TOPIC = 'topic = CAST(? AS TEXT)'
/** 0 if no delivery of the group is open, else 1. */
export const STATE_IN_GROUP =
  '(SELECT count(*) FROM hooklayer_deliveries AS first WHERE first.grp = one.grp AND first.state = 0)'

/** The topics of the deliveries in a state, without reading all of their entries in the index. */
function selectTopics(state: 0 | 4): string {
  return `WITH RECURSIVE topics (name) AS (
      SELECT min(topic) FROM hooklayer_deliveries WHERE state = ${state}
      UNION ALL
      SELECT (SELECT min(topic) FROM hooklayer_deliveries WHERE state = ${state} AND topic > topics.name)
      FROM topics WHERE name IS NOT NULL
    )
    SELECT CAST(name AS BLOB) AS topic FROM topics WHERE name IS NOT NULL`
}

export const LEASE_STATEMENTS = {
  openTopics: selectTopics(0),
  unhandledTopics: selectTopics(4),
  // Each topic by itself, in the order of the index: sorting them in SQL takes 60 µs for a single topic.
  findReady: `SELECT ${SEQ}, CAST(due_at AS REAL) AS due_at FROM hooklayer_deliveries
    WHERE state = 0 AND ${TOPIC} AND due_at <= ?
    ORDER BY hooklayer_deliveries.due_at, hooklayer_deliveries.seq LIMIT ?`,
  // A delivery whose body is missing is read too: it could block the queue for ever otherwise.
  readReady: `SELECT ${COLUMNS}, ${BODY}, ${LOSSES} AS losses, token IS NOT NULL AS is_lost
    FROM hooklayer_deliveries LEFT JOIN hooklayer_bodies USING (seq) WHERE seq = ?`,
  lease: `UPDATE hooklayer_deliveries SET token = ?, due_at = ?, attempts = ${ATTEMPTS} + 1, losses = ? WHERE seq = ?`,
  rename: `UPDATE OR IGNORE hooklayer_deliveries SET id = 'damaged-' || seq WHERE seq = ?`,
  renew: `UPDATE hooklayer_deliveries SET due_at = ? ${LEASED}`,
  reschedule: `UPDATE hooklayer_deliveries SET due_at = ?, token = NULL, code = ?, message = ?, details = ? ${LEASED}`,
  // With a `due_at` of 0 it is the next one, and several of these have their old order.
  putBack: `UPDATE hooklayer_deliveries SET due_at = ?, token = NULL, attempts = attempts - 1 ${LEASED}`,
  markHandled: `UPDATE hooklayer_deliveries
    SET state = 3, due_at = ?, token = NULL, code = NULL, message = NULL, details = NULL ${LEASED}`,
  markDead: `UPDATE hooklayer_deliveries
    SET state = 2, due_at = ?, attempts = ?, token = NULL, code = ?, message = ?, details = ? ${LEASED}`,
  openNext: `UPDATE hooklayer_deliveries SET state = 0
    WHERE seq = (SELECT min(seq) FROM hooklayer_deliveries
      WHERE state = 1 AND grp = (SELECT grp FROM hooklayer_deliveries WHERE seq = ?))`,
  // While a worker has leased one of the topic, it has a handler, and takes the others when it can.
  findOverlooked: `SELECT ${SEQ} FROM hooklayer_deliveries WHERE state = 0 AND ${TOPIC} AND due_at <= ?
    AND NOT EXISTS (SELECT 1 FROM hooklayer_deliveries AS leased
      WHERE leased.state = 0 AND leased.token IS NOT NULL AND leased.${TOPIC} AND leased.due_at > ?)
    ORDER BY due_at, hooklayer_deliveries.seq LIMIT ?`,
  setAside: 'UPDATE hooklayer_deliveries SET state = 4, due_at = ? WHERE seq = ?',
  findUnhandled: `SELECT ${SEQ} FROM hooklayer_deliveries WHERE state = 4 AND ${TOPIC} ORDER BY due_at, hooklayer_deliveries.seq LIMIT ?`,
  reopen: `UPDATE hooklayer_deliveries AS one SET state = ${STATE_IN_GROUP} WHERE seq = ?`,
  findExpired: `SELECT ${SEQ} FROM hooklayer_deliveries WHERE state = 4 AND ${TOPIC} AND due_at < ? LIMIT ?`,
  findExcess: `SELECT ${SEQ} FROM hooklayer_deliveries WHERE state = 4 AND ${TOPIC}
    ORDER BY due_at DESC, hooklayer_deliveries.seq DESC LIMIT ? OFFSET ?`,
  endUnhandled: `UPDATE hooklayer_deliveries SET state = 2, due_at = ?, token = NULL, code = ?, message = ?,
    details = NULL WHERE seq = ?`,
  findFutureLeases: `SELECT ${SEQ}, CAST(due_at AS REAL) AS due_at FROM hooklayer_deliveries
    WHERE state = 0 AND token IS NOT NULL AND due_at > ?`,
  endLease: 'UPDATE hooklayer_deliveries SET due_at = ? WHERE seq = ?',
  // A delivery is stored soon after it was received. One that waits for another attempt has a later `due_at`.
  bringForward: `UPDATE hooklayer_deliveries SET due_at = ? WHERE seq IN (
    SELECT seq FROM hooklayer_deliveries WHERE state < 2 AND received_at > ? AND due_at > ? AND token IS NULL
      AND attempts = 0 AND due_at - received_at BETWEEN 0 AND 10000 ORDER BY received_at LIMIT ?)`,
} as const
