/** How a store or an inbox is created in a file that `init` writes. */
interface Driver {
  readonly summary: string
  readonly imports: readonly string[]
  /** The declarations that come before the receiver. */
  readonly code: readonly string[]
  readonly packages: readonly string[]
  /** Lines of `.env.example`. */
  readonly env: readonly string[]
  /** It needs a disk that stays, which functions lack. */
  readonly needsDisk?: true
}

const REDIS_ENV = ['# Redis of the store and the inbox', 'REDIS_URL=redis://127.0.0.1:6379']
const POSTGRES_ENV = ['# PostgreSQL of the store and the inbox', 'DATABASE_URL=postgres://127.0.0.1:5432/postgres']
const REDIS_URL = "process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'"
const DATABASE_URL = "process.env.DATABASE_URL ?? 'postgres://127.0.0.1:5432/postgres'"

/** Node has SQLite of its own from 22.13 on. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const SQLITE_PACKAGES = major > 22 || (major === 22 && minor >= 13) ? [] : ['libsql']

export const INBOXES: Readonly<Record<string, Driver>> = {
  sqlite: {
    summary: 'a file on the disk of one machine',
    imports: ["import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'"],
    code: ["export const inbox = createSqliteInbox({ file: process.env.INBOX_FILE ?? 'deliveries.db' })"],
    packages: SQLITE_PACKAGES,
    env: ['# The file of the inbox', 'INBOX_FILE=deliveries.db'],
    needsDisk: true,
  },
  redis: {
    summary: 'BullMQ on Redis, for several machines',
    imports: ["import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'"],
    code: [`export const inbox = createBullmqInbox({ redis: ${REDIS_URL} })`],
    packages: ['bullmq', 'ioredis'],
    env: REDIS_ENV,
  },
  postgres: {
    summary: 'BullMQ on PostgreSQL, for several machines',
    imports: ["import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'"],
    code: [`export const inbox = createBullmqInbox({ postgres: ${DATABASE_URL} })`],
    packages: ['bullmq', 'pg'],
    env: POSTGRES_ENV,
  },
}

export const STORES: Readonly<Record<string, Driver>> = {
  sqlite: {
    summary: 'a file on the disk of one machine',
    imports: ["import { createSqliteStore } from 'hooklayer/stores/sqlite'"],
    code: ["const store = createSqliteStore({ file: process.env.STORE_FILE ?? 'events.db' })"],
    packages: SQLITE_PACKAGES,
    env: ['# The file of the store', 'STORE_FILE=events.db'],
    needsDisk: true,
  },
  redis: {
    summary: 'Redis, for several machines',
    imports: ["import { createRedisStore } from 'hooklayer/stores/redis'", "import { Redis } from 'ioredis'"],
    code: [`const store = createRedisStore({ client: new Redis(${REDIS_URL}, { lazyConnect: true }) })`],
    packages: ['ioredis'],
    env: REDIS_ENV,
  },
  postgres: {
    summary: 'PostgreSQL, for several machines; call `store.migrate()` once',
    imports: ["import { createPostgresStore } from 'hooklayer/stores/postgres'", "import pg from 'pg'"],
    code: [
      `const client = new pg.Pool({ connectionString: ${DATABASE_URL} })`,
      'export const store = createPostgresStore({ client }) // Its `migrate()` creates the table: call it when you deploy.',
    ],
    packages: ['pg'],
    env: POSTGRES_ENV,
  },
}
