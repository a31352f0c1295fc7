import { type BullmqInboxOptions, createBullmqInbox, migrateBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import pg, { type PoolConfig } from 'pg'
import { afterEach, describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import { toPoolConfig } from '../../../src/inboxes/bullmq/postgres-option.ts'
import { thrownBy } from '../../deliveries.ts'

afterEach(() => void vi.unstubAllEnvs())

const NEEDS_REDIS =
  '`redis` must be a URL `redis://…`, options of ioredis with a `url`, `host`, `port`, `path` or `sentinels`, or a client of ioredis.'
const NEEDS_POSTGRES =
  '`postgres` must be a URL `postgres://…`, options of `pg` with a `url`, `connectionString`, `host` or `port`, or a `Pool` of `pg`.'
const NO_KEY_PREFIX = '`redis` must have no `keyPrefix`. Use the option `prefix` of the inbox.'

class Unknown {
  readonly host = 'localhost'
}

describe('an engine of the BullMQ inbox', () => {
  it.each([
    ['nothing that names a place', { redis: {} }, NEEDS_REDIS],
    ['only a database', { redis: { db: 3, password: 'secret' } }, NEEDS_REDIS],
    ['an empty text', { redis: '' }, NEEDS_REDIS],
    ['another URL', { redis: 'postgres://localhost' }, NEEDS_REDIS],
    ['a URL without a host', { redis: 'redis://' }, NEEDS_REDIS],
    ['a URL of another engine as an option', { redis: { url: 'https://localhost' } }, NEEDS_REDIS],
    ['no text as a URL', { redis: { url: 7 } }, NEEDS_REDIS],
    ['a client of an unknown kind', { redis: new Unknown() }, NEEDS_REDIS],
    ['an array', { redis: ['redis://localhost'] }, NEEDS_REDIS],
    ['no text and no object', { redis: 7 }, NEEDS_REDIS],
    [
      'two places',
      { redis: { url: 'redis://a', host: 'b' } },
      '`redis` names two places, by `url` and `host`. Give one of them.',
    ],
    ['a prefix of keys', { redis: { host: 'a', keyPrefix: 'shop:' } }, NO_KEY_PREFIX],
    ['a prefix of keys in the URL', { redis: 'redis://a?keyPrefix=shop:' }, NO_KEY_PREFIX],
    ['nothing that names a place', { postgres: {} }, NEEDS_POSTGRES],
    ['only a database', { postgres: { database: 'shop', user: 'shop' } }, NEEDS_POSTGRES],
    ['an empty text', { postgres: '' }, NEEDS_POSTGRES],
    ['another URL', { postgres: 'redis://localhost' }, NEEDS_POSTGRES],
    ['a single client', { postgres: new pg.Client('postgres://localhost') }, NEEDS_POSTGRES],
    ['a client of an unknown kind', { postgres: new Unknown() }, NEEDS_POSTGRES],
    ['no text as a URL', { postgres: { url: 7 } }, NEEDS_POSTGRES],
    [
      'two URLs',
      { postgres: { url: 'postgres://a', connectionString: 'postgres://b' } },
      '`postgres` names two places, by `url` and `connectionString`. Give one of them.',
    ],
    [
      'two places',
      { postgres: { url: 'postgres://a', host: 'b' } },
      '`postgres` names two places, by `url` and `host`. Give one of them.',
    ],
    ['an option of PostgreSQL', { redis: 'redis://a', migrate: false }, '`migrate` is not an option for Redis.'],
    ['an option of Redis', { postgres: 'postgres://a', prefix: 'shop' }, '`prefix` is not an option for PostgreSQL.'],
    [
      'a prefix with a colon',
      { redis: 'redis://a', prefix: 'a:b' },
      '`prefix` must be text of letters, digits, `_`, `.` and `-`.',
    ],
    ['no pause', { redis: 'redis://a', pollMs: 0 }, '`pollMs` must be a whole number over 0.'],
    ['no decision', { postgres: 'postgres://a', migrate: 'no' }, '`migrate` must be true or false.'],
    ['no decision', { postgres: 'postgres://a', transactionPooling: 1 }, '`transactionPooling` must be false or true.'],
  ])('is never guessed: %s is refused when the inbox is made: %j', (_, options, problem) => {
    const error = thrownBy(() => createBullmqInbox(options as BullmqInboxOptions))
    expect(error).toEqual(new TypeError(`createBullmqInbox: ${problem}`))
  })

  it('is no cluster, and no client with a prefix of its own', async () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true })
    const prefixed = new Redis({ lazyConnect: true, keyPrefix: 'shop:' })
    const refuse = (redis: unknown) => thrownBy(() => createBullmqInbox({ redis } as BullmqInboxOptions))
    expect(String(refuse(cluster))).toMatch('`redis` must not be a cluster')
    expect(String(refuse(prefixed))).toMatch(NO_KEY_PREFIX)
    for (const client of [cluster, prefixed]) client.disconnect()
  })

  it('is found in the environment of pg', async () => {
    vi.stubEnv('PGHOST', 'db.example')
    await createBullmqInbox({ postgres: { database: 'shop' } }).close()
  })

  it('is checked for the migration too', async () => {
    await expect(migrateBullmqInbox({ postgres: undefined })).rejects.toThrow(
      new TypeError(`migrateBullmqInbox: ${NEEDS_POSTGRES}`),
    )
    const wrong = { postgres: 'postgres://a', migrate: true }
    await expect(migrateBullmqInbox(wrong)).rejects.toThrow('migrateBullmqInbox has no option `migrate`')
  })

  it('is given in each form that its clients know', async () => {
    const redis = new Redis({ lazyConnect: true })
    const pool = new pg.Pool({ host: 'localhost' })
    const redisOptions: RedisOptions = { host: 'localhost', db: 2, tls: {} }
    const poolConfig: PoolConfig = { host: 'localhost', max: 4, ssl: true }
    const all: readonly BullmqInboxOptions[] = [
      { redis },
      { redis: redisOptions },
      { redis: { url: 'rediss://localhost', db: 2 } },
      { redis: { sentinels: [{ host: 'a', port: 26379 }], name: 'main' } },
      { redis: { path: '/run/redis.sock' }, prefix: 'shop' },
      { postgres: pool },
      { postgres: poolConfig, transactionPooling: true, migrate: false, pollMs: 500 },
      { postgres: { url: 'postgres://localhost/shop', max: 2 } },
      { postgres: { connectionString: 'postgresql://localhost/shop' } },
    ]
    onTestFinished(() => redis.disconnect())
    for (const options of all) await createBullmqInbox(options).close()
    expect(pool.ended).toBe(false)
    expectTypeOf<pg.Pool>().not.toExtend<NonNullable<BullmqInboxOptions['redis']>>()
    expectTypeOf<Redis>().not.toExtend<NonNullable<BullmqInboxOptions['postgres']>>()
    expectTypeOf<number>().not.toExtend<NonNullable<BullmqInboxOptions['redis']>>()
  })
})

describe('the options of a connection to PostgreSQL', () => {
  const OURS = ['-c search_path=bullmq']

  it.each([
    ['postgres://a/b?options=-c statement_timeout=5000', 'postgres://a/b'],
    ['postgres://a/b?options=-c%20statement_timeout%3D5000&application_name=x', 'postgres://a/b?application_name=x'],
    ['postgres://a/b?sslmode=disable&options=-c+statement_timeout%3D5000', 'postgres://a/b?sslmode=disable'],
  ])('of a URL are kept, and ours added: %s', (url, connectionString) => {
    const options = '-c statement_timeout=5000 -c search_path=bullmq'
    expect(toPoolConfig(url, OURS)).toEqual({ connectionString, options })
    expect(toPoolConfig({ url, max: 2 }, OURS)).toEqual({ connectionString, options, max: 2 })
  })

  it('of an object are kept, and ours added', () => {
    const given = { host: 'a', options: '-c statement_timeout=5000' }
    expect(toPoolConfig(given, OURS)).toEqual({ host: 'a', options: `${given.options} ${OURS}` })
    expect(toPoolConfig({ host: 'a' }, OURS)).toEqual({ host: 'a', options: OURS[0] })
    expect(toPoolConfig(given, [])).toEqual(given)
  })

  it('of the environment are kept, and ours added', () => {
    vi.stubEnv('PGOPTIONS', '-c jit=off')
    expect(toPoolConfig('postgres://a/b', OURS)).toMatchObject({ options: '-c jit=off -c search_path=bullmq' })
  })
})
