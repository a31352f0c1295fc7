import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import fc, { type Arbitrary } from 'fast-check'
import type { Inbox } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { Redis } from 'ioredis'
import Database from 'libsql'
import { createFolder } from '../../inboxes/sqlite/place.ts'

/** One change to one of the deliveries that an engine keeps. */
export interface Damage {
  readonly delivery: number
  readonly part: 'body' | 'topic' | 'group'
  /** What is done to the bytes of the part. `resealed` also makes the checksum of the body right again. */
  readonly how: 'flip' | 'cut' | 'empty' | 'replace' | 'resealed'
  readonly at: number
  readonly text: string
}

export const damages: Arbitrary<readonly Damage[]> = fc.array(
  fc.record({
    delivery: fc.nat(5),
    part: fc.constantFrom('body', 'body', 'topic', 'group'),
    how: fc.constantFrom('flip', 'flip', 'cut', 'empty', 'replace', 'resealed'),
    at: fc.nat(4095),
    text: fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('orders.place', '__proto__.toString', 'orders', '\n')),
  }),
  { minLength: 1, maxLength: 6 },
)

const CHECKSUM_BYTES = 4

/** The bytes after the damage. */
function applyDamage({ how, at, text }: Damage, bytes: Uint8Array): Buffer {
  const damaged = Buffer.from(bytes)
  if (how === 'empty') return Buffer.alloc(0)
  if (how === 'replace') return Buffer.from(text)
  if (how === 'cut') return damaged.subarray(0, at % (damaged.length + 1))
  if (damaged.length === 0) return damaged
  const index = (at >> 3) % damaged.length
  damaged.writeUInt8((damaged[index] ?? 0) ^ (1 << (at & 7)), index)
  if (how === 'resealed' && damaged.length > CHECKSUM_BYTES)
    damaged.writeUInt32BE(crc32(damaged.subarray(CHECKSUM_BYTES)))
  return damaged
}

/** An engine that somebody else can write to. */
export interface Engine {
  readonly inbox: Inbox
  put(deliveries: readonly StoredDelivery[], damages: readonly Damage[]): Promise<void>
  end(): Promise<void>
}

/** The memory inbox keeps what it was given, so its deliveries are damaged before. */
export async function openMemory(): Promise<Engine> {
  const inbox = createMemoryInbox()
  return {
    inbox,
    async put(deliveries, list) {
      for (const [index, delivery] of deliveries.entries()) {
        const damaged = { ...delivery }
        for (const damage of list.filter((one) => one.delivery === index)) {
          const { part } = damage
          if (part === 'body') damaged.body = applyDamage(damage, damaged.body)
          else damaged[part] = applyDamage(damage, Buffer.from(damaged[part] ?? '')).toString()
        }
        await inbox.put(damaged)
      }
    },
    end: () => inbox.close(),
  }
}

export async function openSqlite(): Promise<Engine> {
  const { file, remove } = createFolder()
  const inbox = createSqliteInbox({ file })
  const database = new Database(file)
  return {
    inbox,
    async put(deliveries, list) {
      for (const delivery of deliveries) await inbox.put(delivery)
      // A group that was changed leaves those behind it waiting until the next delivery of their group.
      for (const damage of list.filter(({ part }) => part !== 'group')) {
        const [table, column] =
          damage.part === 'body' ? ['hooklayer_bodies', 'body'] : ['hooklayer_deliveries', 'topic']
        const found = database.prepare(`SELECT ${column} AS value FROM ${table} WHERE seq = ?`).get(damage.delivery + 1)
        const { value } = Object(found)
        const bytes = applyDamage(damage, typeof value === 'string' ? Buffer.from(value) : new Uint8Array(value ?? 0))
        const written = damage.part === 'body' ? bytes : bytes.toString()
        database.prepare(`UPDATE ${table} SET ${column} = ? WHERE seq = ?`).run(written, damage.delivery + 1)
      }
    },
    async end() {
      database.close()
      await inbox.close()
      remove()
    },
  }
}

export async function openBullmq(url: string): Promise<Engine> {
  const name = `hooklayer-fuzz-${randomUUID()}`
  const inbox = createBullmqInbox({ redis: url, name })
  const client = new Redis(url)
  return {
    inbox,
    async put(deliveries, list) {
      for (const delivery of deliveries) await inbox.put(delivery)
      for (const key of await client.keys(`bull:${name}*`)) {
        const id = (await client.type(key)) === 'hash' ? await client.hget(key, 'deid') : undefined
        const index = deliveries.findIndex((delivery) => delivery.id === id)
        for (const damage of list.filter(({ delivery }) => delivery === index)) await damageJob(client, key, damage)
      }
    },
    async end() {
      await inbox.close()
      const keys = await client.keys(`bull:${name}*`)
      if (keys.length > 0) await client.del(keys)
      client.disconnect()
    },
  }
}

/** The name of a job is the topic. Its data is JSON, with the body in base64. */
async function damageJob(client: Redis, key: string, damage: Damage): Promise<void> {
  if (damage.part === 'topic') {
    const topic = (await client.hget(key, 'name')) ?? ''
    await client.hset(key, 'name', applyDamage(damage, Buffer.from(topic)).toString())
    return
  }
  const data = (await client.hget(key, 'data')) ?? ''
  const parsed = tryParse(data)
  const changed =
    damage.part === 'body' && typeof parsed.body === 'string'
      ? JSON.stringify({
          ...parsed,
          body: applyDamage(damage, Buffer.from(parsed.body, 'base64')).toString('base64'),
        })
      : applyDamage(damage, Buffer.from(data)).toString()
  await client.hset(key, 'data', changed)
}

function tryParse(text: string): { readonly body?: unknown } {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}
