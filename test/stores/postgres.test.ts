import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import { createPostgresStore, type PostgresClient } from 'hooklayer/stores/postgres'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import {
  COMPLETE_OPTIONS,
  expireLease,
  LONG_MS,
  reserveKey,
  reserveOptions,
} from '../../src/contracts/store/reservations.ts'
import { testStore } from '../../src/contracts/store/store.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { describeUnless } from '../unless.ts'

const newTable = () => `h_${randomUUID().replaceAll('-', '')}`

let server: PostgresServer | undefined
beforeAll(async () => {
  if (!noPostgres) server = await startPostgres()
}, 60_000)
afterAll(() => server?.close())

const inPglite = async () => {
  const client = await PGlite.create()
  const store = createPostgresStore({ client })
  await store.migrate()
  return { open: async () => store, close: () => client.close() }
}

const inPostgres = async () => {
  const table = newTable()
  const pools: pg.Pool[] = []
  return {
    async open() {
      const client = new pg.Pool({ connectionString: server?.url, max: 4 })
      pools.push(client)
      const store = createPostgresStore({ client, table })
      await store.migrate()
      return store
    },
    async close() {
      await pools[0]?.query(`drop table ${table}, ${table}_versions, ${table}_failures`)
      await Promise.all(pools.map((pool) => pool.end()))
    },
  }
}

testStore('the store in PGlite', inPglite, { clock: 'process' })
if (!noPostgres) testStore('the store in PostgreSQL', inPostgres)
else it.skip(`PostgreSQL is not tested: ${noPostgres}`)

describeUnless(noPostgres)('the store in PostgreSQL', () => {
  let pool: pg.Pool
  beforeAll(() => {
    pool = new pg.Pool({ connectionString: server?.url, max: 20 })
  })
  const dropped: string[] = []
  const createdTable = async (table = newTable()) => {
    for (const suffix of ['', '_versions', '_failures']) dropped.push(`"${table.replaceAll('"', '""')}${suffix}"`)
    await createPostgresStore({ client: pool, table }).migrate()
    return table
  }

  afterEach(() => void vi.restoreAllMocks())
  afterAll(async () => {
    for (const table of dropped) await pool.query(`drop table if exists ${table}`)
    await pool.end()
  })

  it('migrates once, however often and in however many processes it is called', async () => {
    const table = newTable()
    const migrations = Array.from({ length: 20 }, () => createdTable(table))
    expect(await Promise.all(migrations)).toHaveLength(20)
    await createdTable(table)
    await reserveKey(createPostgresStore({ client: pool, table }), 'key')
  })

  it('works on a schema that was migrated by hand', async () => {
    const table = newTable()
    const store = createPostgresStore({ client: pool, table })
    dropped.push(table, `${table}_versions`, `${table}_failures`)
    await pool.query(store.schema)
    await reserveKey(store, 'key')
  })

  it('accepts any name for a table, and a schema before it', async () => {
    const odd = `it's "$$ a \`table\`\\; drop`
    const store = createPostgresStore({ client: pool, table: await createdTable(odd) })
    await store.complete('key', (await reserveKey(store, 'key')).token, COMPLETE_OPTIONS)
    const schema = newTable()
    await pool.query(`create schema ${schema}`)
    const within = createPostgresStore({ client: pool, table: `${schema}.events` })
    await within.migrate()
    await reserveKey(within, 'key')
    expect((await pool.query(`select key from ${schema}.events`)).rows).toEqual([{ key: 'key' }])
    await pool.query(`drop schema ${schema} cascade`)
  })

  it('sends one statement for each operation, except for one reservation in a hundred', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    const statements: string[] = []
    const client: PostgresClient = {
      query(text, values) {
        statements.push(text)
        return pool.query(text, values)
      },
    }
    const store = createPostgresStore({ client, table: await createdTable() })
    const version = { resource: 'orders/OeRyhjDlje', updatedAt: '2026-01-01T00:00:00.000Z' }
    const { token } = await reserveKey(store, 'key', reserveOptions(LONG_MS, version))
    await store.complete('key', token, { retentionMs: LONG_MS, version })
    expect(statements).toHaveLength(2)
  })

  it('deletes expired rows, and nothing else', async () => {
    const table = await createdTable()
    const store = createPostgresStore({ client: pool, table })
    const handle = async (name: string, retentionMs: number) => {
      const version = { resource: `orders/${name}`, updatedAt: '2026-01-01T00:00:00.000Z' }
      const { token } = await reserveKey(store, name, reserveOptions(LONG_MS, version))
      await store.complete(name, token, { retentionMs, version })
    }
    await Promise.all(Array.from({ length: 20 }, (_, at) => handle(`expired ${at}`, 1)))
    await handle('kept', LONG_MS)
    await reserveKey(store, 'held')
    await sleep(5)
    vi.spyOn(Math, 'random').mockReturnValue(0)
    await reserveKey(store, 'last')
    const { rows } = await pool.query(
      `select key from ${table} union all select resource from ${table}_versions order by 1`,
    )
    expect(rows.map(({ key }) => key)).toEqual(['held', 'kept', 'last', 'orders/kept'])
  })

  it('takes part in a transaction: a reservation is committed or rolled back with it', async () => {
    const table = await createdTable()
    const outside = createPostgresStore({ client: pool, table })
    const client = await pool.connect()
    const inside = createPostgresStore({ client, table })
    const version = { resource: 'orders/OeRyhjDlje', updatedAt: '2026-02-01T00:00:00.000Z' }
    const older = { ...version, updatedAt: '2026-01-01T00:00:00.000Z' }
    const handle = async (end: string) => {
      await client.query('begin')
      const { token } = await reserveKey(inside, 'key', reserveOptions(LONG_MS, version))
      expect(await inside.complete('key', token, { retentionMs: LONG_MS, version })).toBe(true)
      await client.query(end)
    }
    await handle('rollback')
    const first = await reserveKey(outside, 'key', reserveOptions(LONG_MS, older))
    expect(first.stale).toBe(false)
    await outside.release('key', first.token, { done: [], retentionMs: LONG_MS })
    await handle('commit')
    expect(await outside.reserve('key', reserveOptions(LONG_MS))).toEqual({ state: 'completed' })
    expect((await reserveKey(outside, 'other', reserveOptions(LONG_MS, older))).stale).toBe(true)
    client.release()
  })

  it('makes others wait for a transaction that has reserved their key', async () => {
    const table = await createdTable()
    const outside = createPostgresStore({ client: pool, table })
    for (const [end, state] of [
      ['rollback', 'reserved'],
      ['commit', 'in-progress'],
    ] as const) {
      const client = await pool.connect()
      await client.query('begin')
      await reserveKey(createPostgresStore({ client, table }), end)
      let isOver = false
      const waiting = outside.reserve(end, reserveOptions(LONG_MS)).finally(() => {
        isOver = true
      })
      await sleep(50)
      expect(isOver).toBe(false)
      await client.query(end)
      expect((await waiting).state).toBe(state)
      client.release()
    }
  })

  it('counts a lease from the statement, not from the start of a long transaction', async () => {
    const table = await createdTable()
    const client = await pool.connect()
    const store = createPostgresStore({ client, table })
    await client.query('begin')
    await sleep(30)
    const { token } = await reserveKey(store, 'key')
    await expireLease(store, 'key', token)
    await reserveKey(store, 'key')
    const { rows } = await client.query(
      `select leased_until > now() + interval '60 seconds 20 milliseconds' as late from ${table}`,
    )
    expect(rows).toEqual([{ late: true }])
    await client.query('rollback')
    client.release()
  })

  const opened: pg.Pool[] = []
  const openSerializable = (types?: pg.CustomTypesConfig) => {
    const serializable = new pg.Pool({
      connectionString: server?.url,
      max: 20,
      options: '-c default_transaction_isolation=serializable -c deadlock_timeout=500ms',
      ...(types && { types }),
    })
    opened.push(serializable)
    return serializable
  }
  afterAll(() => Promise.all(opened.map((serializable) => serializable.end())))

  /** Resolves when a statement on the table waits for a lock. */
  const untilLocked = (table: string) =>
    vi.waitFor(
      async () => {
        const waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and strpos(query, $1) > 0"
        expect((await pool.query(waiting, [table])).rowCount).toBe(1)
      },
      { timeout: 5000, interval: 5 },
    )

  it('does not reject because PostgreSQL could not serialize a statement, but runs it again', async () => {
    const table = await createdTable()
    const serializable = openSerializable()
    const codes: unknown[] = []
    const recording: PostgresClient = {
      query: (text, values) =>
        serializable.query(text, values).catch((error) => {
          codes.push(error.code)
          throw error
        }),
    }
    const client = await serializable.connect()
    await client.query('begin')
    await reserveKey(createPostgresStore({ client, table }), 'key')
    const waiting = createPostgresStore({ client: recording, table }).reserve('key', reserveOptions(LONG_MS))
    await untilLocked(table)
    await client.query('commit')
    expect(await waiting).toEqual({ state: 'in-progress' })
    expect(codes).toEqual(['40001'])
    client.release()
  })

  it('handles each of 60 concurrent events where transactions are serializable', async () => {
    const serializable = openSerializable()
    const store = createPostgresStore({ client: serializable, table: await createdTable() })
    const handle = async () => {
      const key = randomUUID()
      const version = { resource: `orders/${key}`, updatedAt: '2026-01-01T00:00:00.000Z' }
      const { token } = await reserveKey(store, key, reserveOptions(LONG_MS, version))
      return store.complete(key, token, { retentionMs: LONG_MS, version, done: ['erp'] })
    }
    expect(await Promise.all(Array.from({ length: 60 }, handle))).toEqual(Array(60).fill(true))
  })

  it('does not reject because of a deadlock, but runs the statement again', async () => {
    const table = await createdTable()
    const quick = openSerializable()
    const store = createPostgresStore({ client: pool, table })
    const resource = 'orders/OeRyhjDlje'
    const version = { resource, updatedAt: '2026-01-01T00:00:00.000Z' }
    const { token } = await reserveKey(store, 'first', reserveOptions(LONG_MS, version))
    await store.complete('first', token, { retentionMs: LONG_MS, version })
    const next = await reserveKey(store, 'key', reserveOptions(LONG_MS, version))
    const codes: unknown[] = []
    const recording: PostgresClient = {
      query: (text, values) =>
        quick.query(text, values).catch((error) => {
          codes.push(error.code)
          throw error
        }),
    }
    const other = await pool.connect()
    await other.query("begin; set local deadlock_timeout = '10s'")
    await other.query(`update ${table}_versions set expires_at = expires_at where resource = $1`, [resource])
    const completing = createPostgresStore({ client: recording, table }).complete('key', next.token, {
      retentionMs: LONG_MS,
      version,
    })
    await untilLocked(table)
    await other.query(`update ${table} set expires_at = expires_at where key = 'key'`)
    await other.query('rollback')
    expect(await completing).toBe(true)
    expect(codes).toEqual(['40P01'])
    other.release()
  })

  it('does not hide a conflict in a transaction, which only its owner can repeat', async () => {
    const table = await createdTable()
    const serializable = openSerializable()
    const client = await serializable.connect()
    await client.query('begin')
    await client.query('select 1')
    await client.query(`select count(*) from ${table}`)
    await reserveKey(createPostgresStore({ client: pool, table }), 'key')
    const inside = createPostgresStore({ client, table })
    await expect(inside.reserve('key', reserveOptions(LONG_MS))).rejects.toMatchObject({ code: '40001' })
    await client.query('rollback')
    client.release()
  })

  it('does not fail where integers are read as BigInts, nor because of NUL in a key', async () => {
    const asBigInts = (type: number) => (text: string) =>
      [20, 21, 23].includes(type) ? BigInt(text) : pg.types.getTypeParser(type)(text)
    const client = openSerializable({ getTypeParser: asBigInts as pg.CustomTypesConfig['getTypeParser'] })
    expect((await client.query('select 1::integer as one')).rows).toEqual([{ one: 1n }])
    const store = createPostgresStore({ client, table: await createdTable() })
    const asking = { ...reserveOptions(LONG_MS), names: ['erp'] }
    const { token } = await reserveKey(store, 'a\0b', asking)
    expect(await store.complete('a\0b', token, { ...COMPLETE_OPTIONS, done: [] })).toBe(true)
    expect(await reserveKey(store, 'a\0b', asking)).toMatchObject({ wasCompleted: true })
    expect((await reserveKey(store, 'ab')).wasCompleted).toBe(false)
  })

  it('passes on an error of the client as it is', async () => {
    const store = createPostgresStore({ client: pool, table: 'not_migrated' })
    await expect(store.reserve('key', reserveOptions(LONG_MS))).rejects.toMatchObject({ code: '42P01' })
  })
})

it.each(['', '.a', 'a.', 'a.b.c', 'a\0b', 'x'.repeat(44)])('refuses %j for a table', (table) => {
  const client = { query: async () => ({ rows: [] }) }
  expect(() => createPostgresStore({ client, table })).toThrow(TypeError)
})

it('refuses a client that cannot be queried', () => {
  expect(() => createPostgresStore({ client: {} as PostgresClient })).toThrow('`client` has no method `query`.')
})
