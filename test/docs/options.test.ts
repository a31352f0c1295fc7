import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createReceiver, createWorker } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { createPostgresStore } from 'hooklayer/stores/postgres'
import { createRedisStore } from 'hooklayer/stores/redis'
import { createSqliteStore } from 'hooklayer/stores/sqlite'
import { TEST_SECRET } from 'hooklayer/testing'
import { afterAll, expect, it } from 'vitest'

const secrets = TEST_SECRET
const store = createMemoryStore()
const inbox = createMemoryInbox()
const receiver = createReceiver({ secrets, inbox })
const client = { eval: async () => 0, evalSha: async () => 0, query: async () => ({ rows: [] }) }
const file = join(mkdtempSync(join(tmpdir(), 'hooklayer-options-')), 'options.sqlite')
afterAll(() => rmSync(dirname(file), { recursive: true }))

const IDEMPOTENCY = { page: 'docs/idempotency.md', heading: '## Options' }
const INBOXES = { page: 'docs/durable-inbox.md', heading: '## Options of an inbox' }

it.each([
  ['createReceiver', {}, readsOf({ secrets }, createReceiver)],
  ['idempotency', IDEMPOTENCY, readsOf({ store }, (idempotency) => createReceiver({ secrets, idempotency }))],
  ['createWorker', {}, readsOf({ receiver, inbox }, (options) => createWorker(options).stop({ timeoutMs: 0 }))],
  ['on', {}, readsOf({}, (options) => receiver.on('orders.place', options, () => {}))],
  ['createMemoryStore', {}, readsOf({}, createMemoryStore)],
  ['createSqliteStore', {}, readsOf({ file }, (options) => createSqliteStore(options).close())],
  ['createRedisStore', {}, readsOf({ client }, createRedisStore)],
  ['createPostgresStore', {}, readsOf({ client }, createPostgresStore)],
  ['createMemoryInbox', { ...INBOXES, engine: 'memory' }, readsOf({}, createMemoryInbox)],
  [
    'createSqliteInbox',
    { ...INBOXES, engine: 'SQLite' },
    readsOf({ file }, (given) => createSqliteInbox(given).close()),
  ],
  ['createBullmqInbox', { ...INBOXES, engine: 'BullMQ' }, readsOf({ redis: 'redis://127.0.0.1' }, createBullmqInbox)],
])('the manual has every option of %s, and no other', (owner, table, options) => {
  expect(readTable(owner, table)).toEqual(options)
})

/** The names of the options that a function reads, in order of the alphabet. */
function readsOf<T extends object>(given: T, read: (options: T) => unknown): string[] {
  const names = new Set<string>()
  const options = new Proxy(given, {
    get(target, name, self) {
      names.add(String(name))
      return Reflect.get(target, name, self)
    },
  })
  read(options)
  return [...names].sort()
}

interface Table {
  /** Default: the page of all options. */
  readonly page?: string
  /** Default: the owner of the options. */
  readonly heading?: string
  /** A row that is not for all engines names them: `leaseMs` (SQLite, BullMQ). */
  readonly engine?: string
}

/** The names in the table under a heading, in order of the alphabet. */
function readTable(owner: string, { page = 'docs/options.md', heading, engine = '' }: Table): string[] {
  const lines = readFileSync(page, 'utf8').split('\n')
  const start = lines.findIndex((line) => line === heading || (!heading && /^#+ `(\w+)`$/.exec(line)?.[1] === owner))
  const end = lines.findIndex((line, at) => at > start && line.startsWith('#'))
  const rows = lines
    .slice(start, end === -1 ? undefined : end)
    .map((line) => /^\| (`\w+`(?: \(.*\))?) \|/.exec(line)?.[1] ?? '')
  const ofEngine = rows.filter((row) => !row.includes('(') || row.includes(engine))
  return ofEngine.flatMap((row) => /`(\w+)`/.exec(row)?.[1] ?? []).sort()
}
