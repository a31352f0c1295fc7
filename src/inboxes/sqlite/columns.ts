import { MAX_STORED_BYTES } from '../queue/compressed-body.ts'
import { BODY_DAMAGED } from '../queue/queue.ts'

/** What a worker would count without end otherwise. */
export const ATTEMPTS = 'max(0, min(attempts, 1000000))'
export const LOSSES = 'max(0, min(losses, 1000000))'
/** The code of a dead letter. One without a code was not written by this package. */
export const CODE = `coalesce(code, '${BODY_DAMAGED.code}')`
/**
 * What is read of a delivery. Whoever can write to the file can write any value, and a damaged page has any bytes. A
 * row that cannot be read would be the next one for ever. libsql ends the process when it reads text that is not UTF-8,
 * so text is read as bytes. `node:sqlite` refuses to read whole numbers over 2^53.
 */
export const COLUMNS = `CAST(seq AS TEXT) AS seq, CAST(id AS BLOB) AS id, CAST(topic AS BLOB) AS topic,
  CAST(received_at AS REAL) AS received_at, CAST(grp AS BLOB) AS grp, ${ATTEMPTS} AS attempts,
  CAST(signature AS BLOB) AS signature, CAST(traceparent AS BLOB) AS traceparent`
export const BODY = `CASE WHEN length(body) <= ${MAX_STORED_BYTES} THEN body END AS body`
/** What tells the state of a delivery that was not handled. */
export const STATE = 'state, token IS NOT NULL AS is_leased, CAST(due_at AS REAL) AS due_at'
/** The last attempt that failed. */
export const FAILURE = `CAST(code AS BLOB) AS code, CAST(message AS BLOB) AS message, CAST(details AS BLOB) AS details`
export const DEATH = `CAST(due_at AS REAL) AS due_at, CAST(${CODE} AS BLOB) AS code, CAST(message AS BLOB) AS message,
  CAST(details AS BLOB) AS details`
