import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Inbox, PermanentError } from 'hooklayer'
import { type BullmqInboxOptions, createBullmqInbox, migrateBullmqInbox } from 'hooklayer/inboxes/bullmq'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { createSeveral, createStored, listDeadLetters, putAll } from '../../../src/contracts/inbox/harness.ts'
import { noPgBouncer, type PgBouncer, startPgBouncer } from '../../servers/pgbouncer.ts'
import { noPostgresProgram, type PostgresServer, startPostgres } from '../../servers/postgres.ts'
import { describeUnless } from '../../unless.ts'
import { waitFor } from '../../wait-for.ts'

const OPTIONS = { concurrency: 4, concurrencyByTopic: {}, attempts: 3, delayMs: () => 50 }

/** Tests use the same server with a database each. */
let server: PostgresServer
let admin: pg.Client
let url: string
const inboxes: Inbox[] = []

beforeAll(async () => {
  if (noPostgresProgram) return
  server = await startPostgres({ fsync: true })
  admin = new pg.Client(server.url)
  await admin.connect()
})
afterAll(async () => {
  await admin?.end()
  await server?.close()
})

let count = 0
beforeEach(async () => {
  if (noPostgresProgram) return
  count++
  await admin.query(`CREATE DATABASE test${count}`)
  url = server.url.replace(/postgres$/, `test${count}`)
})
afterEach(async () => {
  await Promise.all(inboxes.splice(0).map((inbox) => inbox.close()))
})

function open(options: BullmqInboxOptions): Inbox {
  const inbox = createBullmqInbox({ putTimeoutMs: 10_000, ...options })
  inboxes.push(inbox)
  return inbox
}

/** Starts a worker that reports its errors, and gives the ids of what it has handled. */
function consume(inbox: Inbox, work = async (_id: string) => {}) {
  const handled: string[] = []
  const errors: string[] = []
  const onError = (error: unknown) => errors.push(String(error))
  inbox.consume(({ id }) => work(id).then(() => void handled.push(id)), { ...OPTIONS, onError })
  return { handled, errors }
}

async function connectTo(database: string): Promise<pg.Client> {
  const client = new pg.Client(database)
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** Stores, handles, fails and retries on an inbox: what an engine must do. */
async function useAll(inbox: Inbox, other = inbox): Promise<void> {
  const { handled, errors } = consume(other, async (id) => {
    if (id.startsWith('bad')) throw new Error('no')
  })
  const grouped = createSeveral(5, 'grouped', { group: 'orders/A' })
  await putAll(inbox, [...createSeveral(5, 'alone'), ...grouped, createStored('bad')])
  const isDone = async () =>
    expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 1 })
  await vi.waitFor(isDone, { timeout: 20_000 })
  expect(handled.filter((id) => id.startsWith('grouped'))).toEqual(grouped.map(({ id }) => id))
  expect(handled).toHaveLength(10)
  expect(await inbox.deadLetters.discard('all')).toBe(1)
  expect(errors).toEqual([])
}

describeUnless(noPostgresProgram)('the BullMQ inbox on PostgreSQL', { timeout: 60_000 }, () => {
  it.each([1, 4])('never dials another place than that of a pool of the user, of %s connections', async (max) => {
    const pool = new pg.Pool({ connectionString: url, max })
    onTestFinished(() => pool.end())
    await pool.query('CREATE TABLE job (id int)')
    const inbox = open({ postgres: pool })
    await useAll(inbox)
    await inbox.close()
    expect((await pool.query('SHOW search_path')).rows).toEqual([{ search_path: '"$user", public' }])
    expect((await pool.query('SELECT * FROM job')).rows).toEqual([])
    expect(pool.listenerCount('error')).toBe(0)
  })

  it('never loses its search path to the options of a URL, nor these', async () => {
    const withOptions = `${url}?options=-c statement_timeout=4321`
    const inbox = open({ postgres: withOptions })
    await useAll(inbox)
    const { rows } = await admin.query('SELECT count(*)::int FROM pg_stat_activity WHERE datname = $1', [
      `test${count}`,
    ])
    expect(rows[0].count).toBeGreaterThan(0)
    const timeouts = open({ postgres: { url: `${url}?options=-c statement_timeout=1` } })
    await expect(timeouts.statistics()).rejects.toThrow(/statement timeout|could not connect/)
  })

  it('never needs a role that may create something, once the tables are there', async () => {
    const docs = readFileSync(new URL('../../../docs/durable-inbox.md', import.meta.url), 'utf8')
    const [, grants = ''] = /```sql\n(GRANT USAGE[^`]*)```/.exec(docs) ?? []
    const client = await connectTo(url)
    await client.query(`DROP ROLE IF EXISTS hooklayer_app; CREATE ROLE hooklayer_app LOGIN`)
    onTestFinished(async () => {
      await client.query('DROP OWNED BY hooklayer_app; DROP ROLE hooklayer_app').catch(() => {})
    })
    const asApp = url.replace('hooklayer@', 'hooklayer_app@')
    const early = open({ postgres: asApp, migrate: false })
    await expect(early.put(createStored('early'))).rejects.toThrow('Run `migrateBullmqInbox`')
    await expect(open({ postgres: asApp }).put(createStored('early'))).rejects.toThrow('Run `migrateBullmqInbox`')

    await Promise.all([migrateBullmqInbox({ postgres: url }), migrateBullmqInbox({ postgres: url })])
    await client.query(grants)
    await useAll(open({ postgres: asApp, migrate: false }))
    await putAll(open({ postgres: asApp }), [createStored('late')])
    expect(await early.put(createStored('early'))).toBe('stored')
  })

  it('never refuses a delivery because the default of the database is serializable', async () => {
    await admin.query(`ALTER DATABASE test${count} SET default_transaction_isolation = 'serializable'`)
    const pool = new pg.Pool({ connectionString: url })
    onTestFinished(() => pool.end())
    for (const postgres of [url, pool]) {
      const inbox = open({ postgres, name: typeof postgres === 'string' ? 'url' : 'pool' })
      const { handled, errors } = consume(inbox)
      await Promise.all(createSeveral(60, 'one').map((delivery) => inbox.put(delivery)))
      await vi.waitFor(() => expect(handled).toHaveLength(60), { timeout: 20_000 })
      expect(errors).toEqual([])
    }
  })

  it('never gives up a statement for one deadlock', async () => {
    const inbox = open({ postgres: url })
    expect(await inbox.put(createStored('first'))).toBe('stored')
    const client = await connectTo(url)
    await client.query(`
      CREATE SEQUENCE bullmq.failures;
      CREATE FUNCTION bullmq.fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('bullmq.failures') = 1 THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER fail_once BEFORE INSERT ON bullmq.job FOR EACH ROW EXECUTE FUNCTION bullmq.fail_once()`)
    expect(await inbox.put(createStored('second'))).toBe('stored')
    expect((await client.query('SELECT last_value::int FROM bullmq.failures')).rows).toEqual([{ last_value: 2 }])
  })

  it('never reads a number as anything else, whatever parsers the process has set', async () => {
    const oids = [20, 21, 23, 114, 3802]
    const before = oids.map((oid) => [oid, pg.types.getTypeParser(oid, 'text')] as const)
    onTestFinished(() => {
      for (const [oid, parse] of before) pg.types.setTypeParser(oid, parse)
    })
    for (const oid of oids) pg.types.setTypeParser(oid, oid < 100 ? BigInt : (text: string) => `text ${text}`)
    const pool = new pg.Pool({ connectionString: url })
    onTestFinished(() => pool.end())
    for (const postgres of [url, pool])
      await useAll(open({ postgres, name: typeof postgres === 'string' ? 'url' : 'pool' }))
  })

  it('never fails for a NUL or half a character in a message or a group', async () => {
    const inbox = open({ postgres: url })
    const broken = 'orders/\0A\ud83d'
    const { handled, errors } = consume(inbox, async (id) => {
      if (id === 'bad') throw new PermanentError(`a NUL \0 and half \ud83d`)
    })
    await putAll(inbox, [
      createStored('bad'),
      createStored('one', { group: broken }),
      createStored('two', { group: broken }),
    ])
    await vi.waitFor(
      async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 1 }),
      { timeout: 15_000 },
    )
    expect(handled).toEqual(['one', 'two'])
    const [letter] = await listDeadLetters(inbox)
    expect(letter?.error.message).toMatch(/^a NUL/)
    expect(errors).toEqual([])
  })

  it('never asks an idle PostgreSQL more than once a second, and starts at once what another process stores', async () => {
    const [worker, receiver] = [open({ postgres: url }), open({ postgres: url })]
    const { handled } = consume(worker)
    await putAll(receiver, [createStored('first')])
    await vi.waitFor(() => expect(handled).toEqual(['first']), { timeout: 5000 })
    // A connection that is idle tells of its transactions after ten seconds.
    await sleep(12_000)
    const commits = async () =>
      (await admin.query('SELECT xact_commit::int AS n FROM pg_stat_database WHERE datname = $1', [`test${count}`]))
        .rows[0].n
    const before = await commits()
    await sleep(20_000)
    expect((await commits()) - before).toBeLessThanOrEqual(20)
    for (const [id, group] of [
      ['alone', undefined],
      ['grouped', 'orders/A'],
    ] as const) {
      await putAll(receiver, [createStored(id, { group })])
      await vi.waitFor(() => expect(handled).toContain(id), { timeout: 2000, interval: 5 })
    }
  })

  it('never stays deaf after the connection that listens was lost', async () => {
    const [worker, receiver] = [open({ postgres: url }), open({ postgres: url })]
    const { handled } = consume(worker)
    await putAll(receiver, [createStored('first')])
    await vi.waitFor(() => expect(handled).toEqual(['first']), { timeout: 5000 })
    const listening = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND query LIKE 'LISTEN%'"
    const find = async () => (await admin.query(listening, [`test${count}`])).rows.map(({ pid }) => Number(pid))
    const [lost = 0] = await waitFor(async () => {
      const pids = await find()
      expect(pids).toHaveLength(1)
      return pids
    })
    await admin.query('SELECT pg_terminate_backend($1)', [lost])
    // What is stored meanwhile is found when it listens again.
    await putAll(receiver, [createStored('meanwhile')])
    await vi.waitFor(() => expect(handled).toContain('meanwhile'), { timeout: 10_000 })
    await vi.waitFor(
      async () => {
        const pids = await find()
        expect(pids).toHaveLength(1)
        expect(pids).not.toContain(lost)
      },
      { timeout: 10_000 },
    )
    await putAll(receiver, [createStored('after')])
    await vi.waitFor(() => expect(handled).toContain('after'), { timeout: 5000 })
  })
})

describeUnless(noPostgresProgram ?? noPgBouncer)('the BullMQ inbox behind PgBouncer', { timeout: 60_000 }, () => {
  let pooler: PgBouncer
  beforeEach(async () => {
    pooler = await startPgBouncer(url)
  })
  afterEach(() => pooler.close())

  it('works in transaction pooling, with workers that poll', async () => {
    const postgres = pooler.url
    await migrateBullmqInbox({ postgres, transactionPooling: true })
    const options = { postgres, transactionPooling: true, pollMs: 200 }
    await useAll(open(options), open(options))
    const client = await connectTo(pooler.url)
    for (let i = 0; i < 9; i++) {
      expect((await client.query('SHOW search_path')).rows).toEqual([{ search_path: '"$user", public' }])
    }
  })

  it('works with a pool of the user', async () => {
    const pool = new pg.Pool({ connectionString: pooler.url, max: 2 })
    pool.on('error', () => {})
    onTestFinished(() => pool.end())
    await useAll(open({ postgres: pool, transactionPooling: true, pollMs: 200 }))
  })

  it('never leaves open what to do without `transactionPooling`', async () => {
    await expect(open({ postgres: pooler.url }).put(createStored('one'))).rejects.toThrow(
      'Set `transactionPooling: true`.',
    )
  })
})
