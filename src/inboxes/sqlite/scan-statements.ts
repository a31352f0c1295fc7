import { BODY, COLUMNS, FAILURE, STATE } from './columns.ts'

/**
 * A range of rows by their order of storing, which does not change while deliveries are leased and settled. Handled
 * ones are among them, so the range is what bounds a page.
 */
const RANGE = '(SELECT * FROM hooklayer_deliveries WHERE seq > ? ORDER BY seq LIMIT 500)'

export const SCAN_STATEMENTS = {
  endOfRange: `SELECT CAST(max(seq) AS TEXT) AS seq FROM ${RANGE}`,
  scan: `SELECT ${COLUMNS}, ${STATE}, ${FAILURE} FROM ${RANGE} AS hooklayer_deliveries WHERE state <> 3`,
  findPlace: 'SELECT CAST(seq AS TEXT) AS seq FROM hooklayer_deliveries WHERE id = ?',
  readBody: `SELECT ${BODY} FROM hooklayer_deliveries JOIN hooklayer_bodies USING (seq) WHERE seq = ? AND state <> 3`,
  readState: `SELECT ${STATE} FROM hooklayer_deliveries WHERE seq = ? AND state <> 3`,
  forgetGroup: 'UPDATE hooklayer_deliveries SET grp = NULL WHERE seq = ?',
} as const
