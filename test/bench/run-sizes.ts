/** How much each measurement of stores and inboxes does. Together they take about twelve minutes. */
const ORDINARY = {
  /** `ms` is how long each subject runs in a round. */
  acknowledge: { rounds: 15, ms: 120 },
  drainBullmq: { rounds: 5, deliveries: 1000 },
  deferred: { rounds: 8, deliveries: 300 },
  drainSqlite: { rounds: 5, deliveries: 3000 },
  processes: { rounds: 5, deliveries: 960 },
  cost: { rounds: 60, ms: 12 },
  observers: { rounds: 12, turns: 150 },
  recorder: { rounds: 10, segments: 20 },
  latency: { events: 1500 },
  roundTrips: { deliveries: 500 },
  memory: { marks: [10_000, 50_000, 100_000] },
  /** `small` deliveries of 0.1 KB in a file, and `large` ones of 2 KB before a worker. */
  backlog: { small: 1_000_000, large: 200_000 },
}

/** For `--quick`: shows that the bench works. The figures mean nothing. */
const QUICK: typeof ORDINARY = {
  acknowledge: { rounds: 2, ms: 30 },
  drainBullmq: { rounds: 1, deliveries: 100 },
  deferred: { rounds: 2, deliveries: 96 },
  drainSqlite: { rounds: 1, deliveries: 300 },
  processes: { rounds: 1, deliveries: 192 },
  cost: { rounds: 5, ms: 2 },
  observers: { rounds: 2, turns: 10 },
  recorder: { rounds: 2, segments: 2 },
  latency: { events: 100 },
  roundTrips: { deliveries: 50 },
  memory: { marks: [1000, 3000, 5000] },
  backlog: { small: 5000, large: 3000 },
}

export const RUN_SIZES = process.argv.includes('--quick') ? QUICK : ORDINARY
