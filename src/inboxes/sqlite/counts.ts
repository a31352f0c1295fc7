/**
 * How many deliveries each topic has in each state but 3, kept by triggers. They are in the file, so they also count
 * what a process of version 0.1 writes. To count the rows of a million deliveries would take a third of a second.
 */
export const COUNTS = `
  CREATE TABLE IF NOT EXISTS hooklayer_counts (
    topic TEXT NOT NULL,
    state INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    PRIMARY KEY (topic, state)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO hooklayer_counts SELECT topic, state, count(*)
    FROM (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'hooklayer_count_inserted'))
    CROSS JOIN hooklayer_deliveries WHERE state <> 3 GROUP BY topic, state;
  CREATE TRIGGER IF NOT EXISTS hooklayer_count_inserted AFTER INSERT ON hooklayer_deliveries WHEN new.state <> 3 BEGIN
    INSERT INTO hooklayer_counts VALUES (new.topic, new.state, 1)
      ON CONFLICT (topic, state) DO UPDATE SET deliveries = deliveries + 1;
  END;
  CREATE TRIGGER IF NOT EXISTS hooklayer_count_updated AFTER UPDATE OF topic, state ON hooklayer_deliveries
  WHEN (old.topic, old.state) IS NOT (new.topic, new.state) BEGIN
    UPDATE hooklayer_counts SET deliveries = deliveries - 1 WHERE topic = old.topic AND state = old.state;
    INSERT INTO hooklayer_counts SELECT new.topic, new.state, 1 WHERE new.state <> 3
      ON CONFLICT (topic, state) DO UPDATE SET deliveries = deliveries + 1;
  END;
  CREATE TRIGGER IF NOT EXISTS hooklayer_count_deleted AFTER DELETE ON hooklayer_deliveries WHEN old.state <> 3 BEGIN
    UPDATE hooklayer_counts SET deliveries = deliveries - 1 WHERE topic = old.topic AND state = old.state;
  END;
  CREATE INDEX IF NOT EXISTS hooklayer_leased ON hooklayer_deliveries (topic, due_at)
    WHERE state = 0 AND token IS NOT NULL;
  CREATE INDEX IF NOT EXISTS hooklayer_oldest ON hooklayer_deliveries (received_at) WHERE state < 2`

/** If a topic has fewer deliveries that are due, these are counted and not the others. */
const FEW = 100
const OPEN = 'coalesce(sum(deliveries) FILTER (WHERE state = 0), 0)'
const OF_TOPIC = 'FROM hooklayer_deliveries WHERE state = 0 AND topic = hooklayer_counts.topic'

export const COUNT_STATEMENTS = {
  countOpen: 'SELECT coalesce(sum(deliveries), 0) AS open FROM hooklayer_counts WHERE state IN (0, 1)',
  // Whether an open delivery is due depends on the time, so that no trigger can count it. Those that are not due are
  // leased or have failed. They are counted in an index, which takes long when many have failed. Then few are due, and
  // those are counted instead.
  statistics: `SELECT CAST(topic AS BLOB) AS topic,
      ${OPEN} AS open,
      coalesce(sum(deliveries) FILTER (WHERE state = 1), 0) AS behind,
      coalesce(sum(deliveries) FILTER (WHERE state = 2), 0) AS dead,
      coalesce(sum(deliveries) FILTER (WHERE state = 4), 0) AS unhandled,
      coalesce(
        ${OPEN} - nullif((SELECT count(*) FROM (SELECT 1 ${OF_TOPIC} AND due_at <= ? LIMIT ${FEW})), ${FEW}),
        (SELECT count(*) ${OF_TOPIC} AND due_at > ?)) AS later,
      (SELECT count(*) FROM hooklayer_deliveries
        WHERE state = 0 AND token IS NOT NULL AND topic = hooklayer_counts.topic AND due_at > ?) AS running
    FROM hooklayer_counts WHERE deliveries > 0 GROUP BY hooklayer_counts.topic`,
  oldest: 'SELECT CAST(min(received_at) AS REAL) AS oldest FROM hooklayer_deliveries WHERE state < 2',
} as const
