import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Inbox, PermanentError } from 'hooklayer'
import { type BullmqInboxOptions, createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  type InboxPlace,
  listDeadLetters,
  putAll,
  type Scene,
} from '../../../src/contracts/inbox/harness.ts'
import { testInbox } from '../../../src/contracts/inbox/inbox.ts'
import { thrownBy } from '../../deliveries.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../../servers/postgres.ts'
import { noRedis, type RedisServer, startRedis } from '../../servers/redis.ts'
import { describeUnless } from '../../unless.ts'

interface NamedPlace extends InboxPlace {
  readonly name: string
}

describeUnless(noRedis)('on Redis', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.close())

  function start(): NamedPlace {
    const name = `hooklayer-test-${randomUUID()}`
    return {
      name,
      open: (options = {}) => createBullmqInbox({ redis: server.url, name, ...options }),
      async end() {
        const client = new Redis(server.url)
        const keys = await client.keys(`bull:${name}*`)
        if (keys.length > 0) await client.del(keys)
        client.disconnect()
      },
    }
  }

  testInbox('the BullMQ inbox', start)
  testGroups(start)

  it('deletes an id from Redis after its retention', async () => {
    const place = start()
    const { open, consume, waitFor } = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    await handleOne(await open(), consume, waitFor)
    const client = new Redis(server.url)
    const known = () => client.keys(`bull:${place.name}*:de:*`)
    expect(await known()).toHaveLength(1)
    consume(await open({ retentionMs: 1 }), async () => {})
    await waitFor(async () => expect(await known()).toEqual([]))
    client.disconnect()
  })

  it('aborts a handler that has lost its lease, and ignores its result', async () => {
    const place = start()
    const { open, consume, waitFor } = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    const inbox = await open({ leaseMs: 600 } as object)
    const signals: AbortSignal[] = []
    const { process, started } = createRecording(async (_, { number, signal }) => {
      signals.push(signal)
      if (number === 1) await once(signal, 'abort')
    })
    consume(inbox, process)
    await inbox.put(createStored('lost'))
    await waitFor(() => expect(started).toHaveLength(1))
    const client = new Redis(server.url)
    await client.del(await client.keys(`bull:${place.name}*:lock`))
    client.disconnect()
    await waitFor(() => expect(signals[0]?.aborted).toBe(true))
    await waitFor(async () =>
      expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0, dead: 0 }),
    )
    expect(started).toEqual(['lost', 'lost'])
  })

  it('keeps nothing of a handled or discarded delivery but its id', async () => {
    const place = start()
    const { open, consume, waitFor } = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    const inbox = await open()
    const body = Buffer.from('somebody@example.com')
    const { process } = createRecording(({ id }) => {
      if (id === 'dead') throw new Error('no use')
    })
    consume(inbox, process, { attempts: 1 })
    await putAll(inbox, [createStored('handled', { body }), createStored('dead', { body, group: 'customers/A' })])
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, dead: 1 }))
    expect(await inbox.deadLetters.discard('dead')).toBe(1)

    const client = new Redis(server.url)
    const jobs: unknown[] = []
    for (const key of await client.keys(`bull:${place.name}*:????????-*`)) jobs.push(await client.hget(key, 'data'))
    client.disconnect()
    expect(jobs).toEqual(['{}', '{}'])
  })

  it('keeps nothing in a job of an erased delivery but its id', async () => {
    const place = start()
    const scene = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    await eraseSecret(scene, await scene.open())
    const client = new Redis(server.url)
    const keys = await client.keys(`bull:${place.name}*:????????-*`)
    const jobs = await Promise.all(keys.map((key) => client.hgetall(key)))
    const waiting = await client.keys(`bull:${place.name}*:unhandled*`)
    client.disconnect()
    expect(jobs.map(({ data }) => data)).toEqual(['{}', '{}', '{}', '{}'])
    expect(JSON.stringify(jobs)).not.toContain(SECRET)
    expect(waiting).toEqual([`bull:${place.name}:unhandled`])
  })

  it('turns a delivery with a damaged body into a dead letter that blocks no other', async () => {
    const place = start()
    const { open, consume, waitFor } = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    const inbox = await open()
    await putAll(inbox, [createStored('bad')])
    const client = new Redis(server.url)
    const [key = ''] = await client.keys(`bull:${place.name}:????????-*`)
    const { body } = JSON.parse((await client.hget(key, 'data')) ?? '')
    const damaged = Buffer.from(body, 'base64').fill(0, 15, 16)
    await client.hset(key, 'data', JSON.stringify({ body: damaged.toString('base64') }))
    client.disconnect()
    await putAll(inbox, [createStored('good')])
    const { process, started } = createRecording()
    const errors: unknown[] = []
    consume(inbox, process, { onError: (error) => errors.push(error) })
    await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, dead: 1 }))
    expect(started).toEqual(['good'])
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringMatching('BODY_DAMAGED') })])
    const error = { code: 'BODY_DAMAGED', message: 'What was stored is damaged.' }
    const deadLetter = await inbox.deadLetters.get('bad')
    expect(deadLetter).toMatchObject({ id: 'bad', attempts: 1, error })
    expect(damaged.equals(deadLetter?.delivery.body ?? Buffer.alloc(0))).toBe(true)
  })
})

describeUnless(noPostgres)('on PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  function start(): NamedPlace {
    const name = `hooklayer-test-${randomUUID()}`
    return {
      name,
      open: (options = {}) => createBullmqInbox({ postgres: server.url, name, ...options }),
      async end() {
        const client = new pg.Client(server.url)
        await client.connect()
        for (const table of ['job', 'dedup', 'event', 'meta']) {
          await client.query(`DELETE FROM bullmq.${table} WHERE queue LIKE $1`, [`${name}%`])
        }
        await client.end()
      },
    }
  }

  testInbox('the BullMQ inbox', start)
  testGroups(start)

  it('keeps nothing in a job of an erased delivery but its id', async () => {
    const place = start()
    const scene = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    await eraseSecret(scene, await scene.open())
    const client = new pg.Client(server.url)
    await client.connect()
    const { rows } = await client.query('SELECT * FROM bullmq.job WHERE queue LIKE $1', [`${place.name}%`])
    await client.end()
    const jobs = rows.filter(({ queue }) => !queue.endsWith('~lines'))
    expect(jobs.map(({ data, state }) => [data, state])).toEqual(Array.from({ length: 4 }, () => [{}, 'completed']))
    expect(JSON.stringify(jobs)).not.toContain(SECRET)
  })

  it('deletes an id from PostgreSQL after its retention', async () => {
    const place = start()
    const { open, consume, waitFor } = await createScene({ start: () => place, timeoutMs: 25_000, isDurable: true })
    await handleOne(await open(), consume, waitFor)
    const client = new pg.Client(server.url)
    await client.connect()
    const known = async () =>
      (await client.query('SELECT dedup_id FROM bullmq.dedup WHERE queue LIKE $1', [`${place.name}%`])).rows
    expect(await known()).toEqual([{ dedup_id: 'handled' }])
    consume(await open({ retentionMs: 1 }), async () => {})
    await waitFor(async () => expect(await known()).toEqual([]))
    await client.end()
  })
})

describeUnless(noPostgres)('a lease in PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  it('is not kept for an hour because a clock was set back, and its delivery keeps its place', {
    timeout: 60_000,
  }, async () => {
    const name = `hooklayer-test-${randomUUID()}`
    const leaseMs = 1000
    const open = () => createBullmqInbox({ postgres: server.url, name, leaseMs, putTimeoutMs: 30_000 })
    const start = () => ({ open })
    const { consume, waitFor, ...scene } = await createScene({ start, timeoutMs: 25_000, isDurable: true })
    const inbox = await scene.open()
    const deliveries = createSeveral(3, 'step', { group: 'orders/A' })
    await putAll(inbox, deliveries)
    const client = new pg.Client(server.url)
    await client.connect()
    const { queue } = (await client.query('SELECT queue FROM bullmq.job WHERE queue LIKE $1', [`${name}%`])).rows[0]
    // A worker whose clock was an hour ahead has leased the first and was lost.
    await client.query(
      `UPDATE bullmq.job SET state = 'active', lock_token = 'lost', locked_until_ms = $2
        WHERE queue = $1 AND dedup_id = 'step-0'`,
      [queue, Date.now() + 3_600_000],
    )
    const attempts: string[] = []
    consume(inbox, async ({ id }, { number }) => void attempts.push(`${id} ${number}`))
    await waitFor(() => expect(attempts).toEqual(['step-0 2', 'step-1 1', 'step-2 1']))
    await client.end()
  })

  it('whose reply was lost is no attempt, and its delivery keeps its place', { timeout: 60_000 }, async () => {
    const name = `hooklayer-test-${randomUUID()}`
    const start = () => ({ open: () => createBullmqInbox({ postgres: server.url, name, putTimeoutMs: 30_000 }) })
    const { open, consume, waitFor } = await createScene({ start, timeoutMs: 25_000, isDurable: true })
    const inbox = await open()
    await putAll(inbox, createSeveral(3, 'step', { group: 'orders/A' }))
    const admin = new pg.Client(server.url)
    await admin.connect()
    const { queue } = (await admin.query('SELECT queue FROM bullmq.job WHERE queue LIKE $1', [`${name}%`])).rows[0]
    // The lease is carried out, but its reply does not arrive within the time for a command.
    await admin.query('BEGIN')
    await admin.query(`SELECT pg_advisory_xact_lock(hashtext('bullmq:concurrency:' || $1))`, [queue])
    const attempts: string[] = []
    consume(inbox, async ({ id }, { number }) => void attempts.push(`${id} ${number}`), { onError: () => {} })
    await sleep(5500)
    await admin.query('COMMIT')
    await admin.end()
    await waitFor(() => expect(attempts).toEqual(['step-0 1', 'step-1 1', 'step-2 1']))
  })
})

async function handleOne(inbox: Inbox, consume: Scene['consume'], waitFor: Scene['waitFor']): Promise<void> {
  await inbox.put(createStored('handled'))
  const consumer = consume(inbox, async () => {})
  await waitFor(async () => expect((await inbox.statistics()).oldest).toBeUndefined())
  await consumer.stop()
}

function testGroups(start: () => InboxPlace): void {
  const suite = { start, timeoutMs: 25_000, isDurable: true }

  it('discards and lists thousands of dead letters in batches', { timeout: 120_000 }, async () => {
    const { open, consume, waitFor } = await createScene({ ...suite, timeoutMs: 60_000 })
    const inbox = await open({ putTimeoutMs: 60_000 } as object)
    const COUNT = 1200
    for (let at = 0; at < COUNT; at += 100) {
      const topic = at % 300 === 0 ? 'orders.cancel' : 'orders.place'
      await Promise.all(createSeveral(100, `bad-${at}`, { topic }).map((delivery) => inbox.put(delivery)))
    }
    const worker = consume(inbox, () => Promise.reject(new PermanentError('no use')), { concurrency: 50 })
    await waitFor(async () => expect((await inbox.statistics()).dead).toBe(COUNT))
    await worker.stop()
    const time = async (act: () => Promise<unknown>) => {
      const begin = performance.now()
      await act()
      return performance.now() - begin
    }
    const one = await time(() => inbox.deadLetters.discard('bad-100-0'))
    const many = await time(async () => expect(await inbox.deadLetters.discard({ topic: 'orders.cancel' })).toBe(400))
    const listing = await time(async () => expect(await listDeadLetters(inbox)).toHaveLength(799))
    // One at a time they would take 400 and 799 times as long.
    expect(many).toBeLessThan(100 * Math.max(one, 5))
    expect(listing).toBeLessThan(100 * Math.max(one, 5))
  })

  it('keeps the order of groups whose topic has a low limit', async () => {
    const { open, consume, waitFor } = await createScene(suite)
    const inbox = await open()
    const groups = ['orders/A', 'orders/B', 'orders/C']
    for (let at = 0; at < 4; at += 1)
      await putAll(
        inbox,
        groups.map((group) => createStored(`${group}-${at}`, { group })),
      )
    const { process, ended, peak } = createRecording(() => sleep(5))
    consume(inbox, process, { concurrencyByTopic: { 'orders.place': 1 } })
    await waitFor(() => expect(ended).toHaveLength(12))
    for (const group of groups) {
      expect(ended.filter((id) => id.startsWith(group))).toEqual(createSeveral(4, group).map(({ id }) => id))
    }
    expect(peak.get('orders.place')).toBe(1)
  })

  it('stores a delivery once that several receivers get at the same time', async () => {
    const { open } = await createScene(suite)
    const inboxes = [await open(), await open(), await open()]
    const delivery = createStored('same', { group: 'orders/A' })
    const results = await Promise.all(inboxes.map((inbox) => inbox.put(delivery)))
    expect(results.sort()).toEqual(['duplicate', 'duplicate', 'stored'])
  })
}

describe('the options of the BullMQ inbox', () => {
  it.each([
    [{}, 'createBullmqInbox needs either `redis` or `postgres`.'],
    [{ redis: 'redis://a', postgres: 'postgres://b' }, 'createBullmqInbox needs either `redis` or `postgres`.'],
    [
      { redis: 'redis://a', name: 'a:b' },
      'createBullmqInbox: `name` must be text of letters, digits, `_`, `.` and `-`.',
    ],
    [{ redis: 'redis://a', putTimeoutMs: 0 }, 'createBullmqInbox: `putTimeoutMs` must be a whole number over 0.'],
    [{ redis: 'redis://a', leaseMs: -1 }, 'createBullmqInbox: `leaseMs` must be a whole number over 0.'],
    [{ redis: 'redis://a', maxJobs: 1 }, 'createBullmqInbox has no option `maxJobs`.'],
  ])('are refused when they are wrong: %j', (options, message) => {
    expect(thrownBy(() => createBullmqInbox(options as BullmqInboxOptions))).toEqual(new TypeError(message))
  })
})

const SECRET = 'secret-id'

/** Stores a delivery of one resource for each state that can be erased, and erases them. */
async function eraseSecret({ consume, waitFor }: Scene, inbox: Inbox): Promise<void> {
  const body = Buffer.from(JSON.stringify({ data: { type: 'orders', id: SECRET, attributes: { number: SECRET } } }))
  const { process } = createRecording(({ topic }) => {
    throw topic === 'orders.fail' ? new Error(`no ${SECRET}`) : new PermanentError(`no ${SECRET}`)
  })
  const isHandled = (topic: string) => topic !== 'orders.wait'
  const worker = consume(inbox, process, { isHandled, delayMs: () => 3_600_000 })
  const names = ['fail', 'die', 'wait']
  await putAll(
    inbox,
    names.map((name) => createStored(name, { topic: `orders.${name}`, body })),
  )
  await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ failed: 1, dead: 1, unhandled: 1 }))
  await worker.stop()
  await putAll(inbox, [createStored('queued', { body, group: `orders/${SECRET}` })])
  const erased = { queued: 1, running: 0, failed: 1, unhandled: 1, dead: 1 }
  expect(await inbox.erase({ type: 'orders', id: SECRET })).toEqual(erased)
}
