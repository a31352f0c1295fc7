/**
 * `record` is JSON: the row of a list without what is in columns. `details` is JSON too. `terms` are what a record can
 * be found by, a line each: `{type}/{id}` of each resource, `=` and a number, `@` and the hash of an email address, `#`
 * and the id of a delivery or an event. `handler_ms` are numbers with commas.
 */
export const TABLES = `
  CREATE TABLE IF NOT EXISTS hooklayer_records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    body_bytes INTEGER NOT NULL,
    source TEXT NOT NULL,
    outcome TEXT NOT NULL,
    topic TEXT,
    code TEXT,
    delivery_id TEXT,
    handler_ms TEXT NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS hooklayer_records_kept ON hooklayer_records (refused, seq, body_bytes);
  CREATE TABLE IF NOT EXISTS hooklayer_record_details (
    seq INTEGER PRIMARY KEY,
    terms TEXT NOT NULL,
    details TEXT NOT NULL,
    body BLOB
  ) STRICT;
  CREATE TABLE IF NOT EXISTS hooklayer_records_missed (one INTEGER PRIMARY KEY, missed INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO hooklayer_records_missed VALUES (1, 0);`
