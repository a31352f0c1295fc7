import { randomUUID } from 'node:crypto'
import { brotliCompressSync, crc32 } from 'node:zlib'
import type { Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  createRecording,
  createScene,
  createStored,
  type InboxPlace,
  listDeadLetters,
  putAll,
  type Scene,
} from '../../../src/contracts/inbox/harness.ts'
import { listAll } from '../../../src/contracts/inbox/listing.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../../servers/postgres.ts'
import { noRedis, type RedisServer, startRedis } from '../../servers/redis.ts'
import { describeUnless } from '../../unless.ts'

/** A body with the right checksum, of bytes that are not Brotli, or that unpack to much more. */
function pack(compressed: Buffer): string {
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(compressed))
  return Buffer.concat([checksum, compressed]).toString('base64')
}

const GROUP = 'orders/A'
/** Data of a job that somebody else has written. */
const DATA: readonly unknown[] = [
  null,
  7,
  'text',
  [],
  [1],
  { body: null },
  { body: 7, group: GROUP },
  { body: '' },
  { group: GROUP },
  { body: pack(Buffer.from('not Brotli')) },
  { body: pack(brotliCompressSync(Buffer.alloc(65 * 1024 * 1024))) },
  { body: 'A'.repeat(100), forgiven: 'many' },
  { body: {}, group: { a: 1 } },
]

/** Handles all: each `bad` delivery must become a dead letter, and each `good` one be handled. */
async function expectDead(
  { consume, waitFor }: Scene,
  inbox: Inbox,
  bad: readonly string[],
  good: readonly string[],
): Promise<void> {
  expect((await listAll(inbox)).length).toBeGreaterThanOrEqual(good.length)
  expect(await listAll(inbox, { search: 'nothing' })).toEqual([])
  expect(await inbox.erase({ type: 'orders', id: 'nothing' })).toMatchObject({ queued: 0, dead: 0 })
  const { process, started } = createRecording()
  const errors: string[] = []
  const worker = consume(inbox, process, { attempts: 3, onError: (error) => errors.push(String(error)) })
  await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0 }))
  await worker.stop()
  expect([...started].sort()).toEqual([...good].sort())
  const deadLetters = await listDeadLetters(inbox)
  expect(deadLetters.map(({ id, error }) => `${id} ${error.code}`).sort()).toEqual(
    bad.map((id) => `${id} BODY_DAMAGED`).sort(),
  )
  expect(errors.filter((error) => error.includes('BODY_DAMAGED'))).toHaveLength(bad.length)
  for (const id of bad) expect(await inbox.deadLetters.get(id)).toMatchObject({ id, delivery: { id } })
  expect(await inbox.deadLetters.discard('all')).toBe(bad.length)
  expect(await listDeadLetters(inbox)).toEqual([])
}

/** Stores deliveries without a group and with one, so that jobs of both kinds of lanes are damaged. */
async function putBoth(inbox: Inbox, name: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, at) => [`${name}-${at}`, `${name}-${at}-grouped`]).flat()
  await putAll(
    inbox,
    ids.map((id) => createStored(id, { group: id.endsWith('grouped') ? GROUP : undefined })),
  )
  return ids
}

describeUnless(noRedis)('a job in Redis that somebody else has written', { timeout: 60_000 }, () => {
  let server: RedisServer
  let client: Redis
  beforeAll(async () => {
    server = await startRedis()
    client = new Redis(server.url)
  })
  afterAll(async () => {
    client.disconnect()
    await server.close()
  })

  async function openScene() {
    const name = `hooklayer-test-${randomUUID()}`
    const place: InboxPlace = { open: (options) => createBullmqInbox({ redis: server.url, name, ...options }) }
    const scene = await createScene({ start: () => place, timeoutMs: 40_000, isDurable: true })
    return { ...scene, name, inbox: await scene.open() }
  }

  /** The keys of the jobs by the id of their delivery. */
  async function findKeys(name: string): Promise<Map<string, string>> {
    const keys = await client.keys(`bull:${name}*:????????-????-*`)
    return new Map(await Promise.all(keys.map(async (key) => [(await client.hget(key, 'deid')) ?? '', key] as const)))
  }

  it('is a dead letter whatever its data is, and does not stop the inbox', async () => {
    const { inbox, name, ...scene } = await openScene()
    const texts = [...DATA.map((data) => JSON.stringify(data)), 'no JSON', '{"body":', '\0']
    const bad = await putBoth(inbox, 'bad', texts.length)
    const good = await putBoth(inbox, 'good', 2)
    const keys = await findKeys(name)
    for (const [at, id] of bad.entries()) await client.hset(keys.get(id) ?? '', 'data', texts[at >> 1] ?? '')
    await expectDead(scene, inbox, bad, good)
  })

  it('is handled with the options of this package, whatever its own are', async () => {
    const { inbox, name, ...scene } = await openScene()
    const texts = ['null', '7', 'no JSON', '{}', '{"attempts":1,"removeOnFail":true,"backoff":"no"}', '{"kl":-1}']
    const ids = await putBoth(inbox, 'one', texts.length)
    const keys = await findKeys(name)
    for (const [at, id] of ids.entries()) await client.hset(keys.get(id) ?? '', 'opts', texts[at >> 1] ?? '')
    const failed = new Set<string>()
    const { process, ended } = createRecording(({ id }) => {
      if (failed.has(id)) return
      failed.add(id)
      throw new Error('not yet')
    })
    scene.consume(inbox, process)
    await scene.waitFor(() => expect([...ended].sort()).toEqual([...ids].sort()))
  })

  it('is handled or a dead letter, whatever else is in it', async () => {
    const { inbox, name, ...scene } = await openScene()
    const fields: readonly (readonly [string, string])[] = [
      ['progress', 'no JSON'],
      ['parent', 'no JSON'],
      ['parentKey', 'bull:nowhere:1'],
      ['priority', 'x'],
      ['delay', 'x'],
      ['stacktrace', 'no JSON'],
      ['returnvalue', 'no JSON'],
      ['ats', 'x'],
      ['atm', 'x'],
      ['atm', '-9e99'],
      ['atm', '-1000'],
      ['stc', 'x'],
      ['rjk', 'a:b:c:d:e'],
      ['failedReason', 'null'],
      ['defa', 'x'],
      ['timestamp', 'x'],
      ['timestamp', '9'.repeat(30)],
    ]
    const ids = await putBoth(inbox, 'one', fields.length)
    const keys = await findKeys(name)
    for (const [at, id] of ids.entries()) await client.hset(keys.get(id) ?? '', ...(fields[at >> 1] ?? ['', '']))
    const bad = ids.filter((_, at) => fields[at >> 1]?.[0] === 'timestamp')
    await expectDead(
      scene,
      inbox,
      bad,
      ids.filter((id) => !bad.includes(id)),
    )
  })

  it('without an id is a dead letter with the id of the job', async () => {
    const { inbox, name, ...scene } = await openScene()
    const [bad = ''] = await putBoth(inbox, 'bad', 1)
    const key = (await findKeys(name)).get(bad) ?? ''
    await client.hdel(key, 'deid')
    await client.hset(key, 'opts', '{}')
    await expectDead(scene, inbox, [key.split(':').at(-1) ?? ''], [`${bad}-grouped`])
  })

  it('in place of the order of a group starts that order anew', async () => {
    const { inbox, name, consume, waitFor } = await openScene()
    await putAll(inbox, [createStored('first', { group: GROUP })])
    const { process, ended } = createRecording(async ({ id }, { number }) => {
      if (id !== 'first' || number > 2) return
      const [key = ''] = await client.keys(`bull:${name}~lines:group-*`)
      if (key) await client.hset(key, number === 2 ? { data: 'no JSON' } : { data: '{"ids":7}' })
      throw new Error('not yet')
    })
    consume(inbox, process, { attempts: 5 })
    await waitFor(() => expect(ended).toEqual(['first']))
    await putAll(inbox, [createStored('second', { group: GROUP })])
    await waitFor(() => expect(ended).toEqual(['first', 'second']))
  })
})

describeUnless(noPostgres)('a job in PostgreSQL that somebody else has written', { timeout: 60_000 }, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  it('is a dead letter whatever its data is, and does not stop the inbox', async () => {
    const name = `hooklayer-test-${randomUUID()}`
    const place: InboxPlace = { open: (options) => createBullmqInbox({ postgres: server.url, name, ...options }) }
    const scene = await createScene({ start: () => place, timeoutMs: 40_000, isDurable: true })
    const inbox = await scene.open()
    // BullMQ reads `null` as `{}`, which is what is left of a delivery that was handled.
    const values = DATA.slice(1)
    const bad = await putBoth(inbox, 'bad', values.length)
    const good = await putBoth(inbox, 'good', 2)
    const client = new pg.Client(server.url)
    await client.connect()
    for (const [at, id] of bad.entries()) {
      const data = JSON.stringify(values[at >> 1])
      await client.query('UPDATE bullmq.job SET data = $1 WHERE dedup_id = $2', [data, id])
    }
    await client.end()
    await expectDead(scene, inbox, bad, good)
  })
})
