import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Inbox } from 'hooklayer'
import type { StoredDelivery } from 'hooklayer/drivers'
import { type BullmqInboxOptions, createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { createRecording, createSeveral, createStored, putAll } from '../../../src/contracts/inbox/harness.ts'
import { listAll } from '../../../src/contracts/inbox/listing.ts'
import { type Crashable, createCrashableRedis } from '../../servers/crashable.ts'
import { noRedisProgram } from '../../servers/redis.ts'
import { describeUnless } from '../../unless.ts'

const OPTIONS = { concurrency: 4, concurrencyByTopic: {}, attempts: 3, delayMs: () => 50 }

describeUnless(noRedisProgram)('the BullMQ inbox on Redis', { timeout: 60_000 }, () => {
  let server: Crashable
  let admin: Redis
  const inboxes: Inbox[] = []

  beforeEach(async () => {
    server = await createCrashableRedis()
    await server.start()
    admin = new Redis(server.url)
    admin.on('error', () => {})
  })
  afterEach(async () => {
    await Promise.all(inboxes.splice(0).map((inbox) => inbox.close()))
    admin.disconnect()
    await server.remove()
  })

  function open(options: Partial<BullmqInboxOptions> = {}): Inbox {
    const inbox = createBullmqInbox({ redis: server.url, ...options })
    inboxes.push(inbox)
    return inbox
  }

  /** Starts a worker that reports its errors, and gives the ids of what it has handled. */
  function consume(inbox: Inbox): { readonly handled: string[]; readonly errors: string[] } {
    const handled: string[] = []
    const errors: string[] = []
    const onError = (error: unknown) => errors.push(String(error))
    inbox.consume(async ({ id }) => void handled.push(id), { ...OPTIONS, onError })
    return { handled, errors }
  }

  async function countCalls(): Promise<number> {
    const stats = await admin.info('commandstats')
    // A script's own commands are counted too, and `info` is this function's.
    return [...stats.matchAll(/^cmdstat_(evalsha|eval|bzpopmin):calls=(\d+)/gm)].reduce(
      (sum, [, , n]) => sum + Number(n),
      0,
    )
  }

  it('never waits for the next poll because deliveries were settled while it asked for more', async () => {
    const [worker, other] = [open(), open()]
    const handled = new Set<string>()
    const onError = (error: unknown) => expect.unreachable(String(error))
    const handle = async ({ id }: StoredDelivery) => {
      await sleep(handled.size % 4)
      handled.add(id)
    }
    worker.consume(handle, { ...OPTIONS, onError })
    await putAll(other, createSeveral(500, 'first'))
    await vi.waitFor(() => expect(handled.size).toBe(500), 10_000)
    // The worker waits now, and only a marker tells of what another process stores.
    await sleep(200)
    await other.put(createStored('second'))
    await vi.waitFor(() => expect(handled).toContain('second'), 5000)
  })

  it('never dials another place than that of a client of the user, and leaves the client open', async () => {
    const client = new Redis(server.url, { db: 3, maxRetriesPerRequest: null })
    onTestFinished(() => client.disconnect())
    const inbox = open({ redis: client })
    const { handled } = consume(inbox)
    await putAll(inbox, createSeveral(3, 'one'))
    await vi.waitFor(() => expect(handled).toHaveLength(3), { timeout: 10_000 })
    await inbox.close()
    expect(await client.dbsize()).toBeGreaterThan(0)
    expect(await admin.dbsize()).toBe(0)
  })

  it('never ignores a `url` among the options, or the prefix of its keys', async () => {
    const inbox = open({ redis: { url: server.url, db: 2 }, prefix: 'shop', name: 'webhooks' })
    const { handled } = consume(inbox)
    await putAll(inbox, [createStored('one'), createStored('two', { group: 'orders/A' })])
    await vi.waitFor(() => expect(handled).toHaveLength(2), { timeout: 10_000 })
    await admin.select(2)
    const keys = await admin.keys('*')
    expect(keys.length).toBeGreaterThan(0)
    expect(keys.filter((key) => !key.startsWith('shop:webhooks'))).toEqual([])
  })

  it('never lets advice stand before the work: without the right to ask `INFO`, deliveries are handled', async () => {
    await admin.acl('SETUSER', 'shop', 'on', '>secret', '~*', '+@all', '-@dangerous')
    const warn = vi.spyOn(console, 'warn')
    const inbox = open({ redis: server.url.replace('//', '//shop:secret@') })
    const { handled, errors } = consume(inbox)
    await putAll(inbox, createSeveral(3, 'one'))
    await vi.waitFor(() => expect(handled).toHaveLength(3), { timeout: 10_000 })
    expect(errors).toEqual([])
    expect(warn).not.toHaveBeenCalled()
  })

  it('never needs more commands or keys than the docs name', async () => {
    const docs = readFileSync(new URL('../../../docs/durable-inbox.md', import.meta.url), 'utf8')
    const [, rules = ''] = /ACL SETUSER hooklayer (.*)/.exec(docs) ?? []
    await admin.acl('SETUSER', 'hooklayer', ...rules.split(' '))
    const [, password = ''] = />(\S+)/.exec(rules) ?? []
    const inbox = open({ redis: server.url.replace('//', `//hooklayer:${password}@`), retentionMs: 1 })
    const { process, ended } = createRecording(({ id }, { number }) => {
      if (id.startsWith('bad') || (id.startsWith('late') && number === 1)) throw new Error('no')
    })
    const errors: unknown[] = []
    const onError = (error: unknown) => errors.push(error)
    const worker = inbox.consume(process, { ...OPTIONS, onError })
    const names = ['good', 'bad', 'late']
    const deliveries = names.flatMap((name) => [
      createStored(name),
      createStored(`${name}-grouped`, { group: 'orders/A' }),
    ])
    await putAll(inbox, deliveries)
    await vi.waitFor(
      async () => expect(await inbox.statistics()).toMatchObject({ dead: 2, queued: 0, running: 0, failed: 0 }),
      { timeout: 15_000 },
    )
    expect(ended.toSorted()).toEqual(['good', 'good-grouped', 'late', 'late-grouped'])
    expect(await inbox.deadLetters.get('bad')).toBeDefined()
    expect(await inbox.deadLetters.retry('bad')).toBe(1)
    await vi.waitFor(
      async () => expect(await inbox.statistics()).toMatchObject({ dead: 2, queued: 0, running: 0, failed: 0 }),
      { timeout: 15_000 },
    )
    expect(await inbox.deadLetters.discard('all')).toBe(2)
    await worker.stop()
    const erased = { type: 'orders', id: 'erased' }
    const body = Buffer.from(JSON.stringify({ data: erased }))
    await putAll(inbox, [
      createStored('erased', { body }),
      createStored('erased-too', { body, group: 'orders/erased' }),
    ])
    expect(await listAll(inbox, { search: 'erased' })).toHaveLength(2)
    expect(await inbox.erase(erased)).toMatchObject({ queued: 2 })
    const redis = server.url.replace('//', `//hooklayer:${password}@`)
    const other = open({ redis, retentionMs: 1, deadLetterRetentionMs: 1 })
    other.consume(process, { ...OPTIONS, onError })
    await vi.waitFor(async () => expect(await admin.keys('*:de:*')).toEqual([]), { timeout: 15_000 })
    expect(errors).toEqual([])
  })

  it('never asks an idle Redis more than twice a second, and still starts at once what another process stores', async () => {
    const [worker, receiver] = [open(), open()]
    const { handled } = consume(worker)
    await putAll(receiver, [createStored('first')])
    await vi.waitFor(() => expect(handled).toEqual(['first']), { timeout: 5000 })
    await sleep(1000)
    const before = await countCalls()
    await sleep(10_000)
    expect((await countCalls()) - before).toBeLessThanOrEqual(20)
    for (const [id, group] of [
      ['alone', undefined],
      ['grouped', 'orders/A'],
    ] as const) {
      await putAll(receiver, [createStored(id, { group })])
      await vi.waitFor(() => expect(handled).toContain(id), { timeout: 900, interval: 5 })
    }
  })

  it('never leaves a delivery to a busy process while another one is idle', async () => {
    const [busy, idle] = [open(), open()]
    const { process: block, started } = createRecording(() => new Promise(() => {}))
    const stuck = busy.consume(block, { ...OPTIONS, concurrency: 1, onError: () => {} })
    onTestFinished(() => stuck.stop({ timeoutMs: 0 }))
    await sleep(500)
    await putAll(open(), [createStored('one')])
    await vi.waitFor(() => expect(started).toHaveLength(1), { timeout: 5000 })
    const { handled } = consume(idle)
    await sleep(500)
    for (const id of ['two', 'three', 'four']) {
      await putAll(busy, [createStored(id)])
      await vi.waitFor(() => expect(handled).toContain(id), { timeout: 2000, interval: 5 })
    }
  })

  it('never stays with a primary that has become a replica, when the address has moved', async () => {
    const next = await createCrashableRedis()
    await next.start()
    const other = new Redis(next.url)
    const address = await createAddress(server.url)
    onTestFinished(async () => {
      other.disconnect()
      await address.close()
      await next.remove()
    })
    await other.replicaof('127.0.0.1', new URL(server.url).port)
    const inbox = open({ redis: address.url })
    const { handled } = consume(inbox)
    await putAll(inbox, createSeveral(3, 'before'))
    await vi.waitFor(() => expect(handled).toHaveLength(3), { timeout: 10_000 })
    await vi.waitFor(async () => expect(await other.info('replication')).toMatch('master_link_status:up'), {
      timeout: 15_000,
    })

    await other.replicaof('NO', 'ONE')
    address.moveTo(next.url)
    // The connections to the old primary stay open.
    await admin.replicaof('127.0.0.1', new URL(next.url).port)
    await vi.waitFor(async () => expect(await inbox.put(createStored('after'))).toBe('stored'), { timeout: 10_000 })
    await vi.waitFor(() => expect(handled).toContain('after'), { timeout: 10_000 })
  })

  it('never forgets to handle a lane one at a time, when Redis comes back empty', async () => {
    const volatile = await createCrashableRedis('--appendonly', 'no')
    await volatile.start()
    onTestFinished(() => volatile.remove())
    const [left, right] = [open({ redis: volatile.url }), open({ redis: volatile.url })]
    let running = 0
    let overlaps = 0
    const handled: string[] = []
    for (const inbox of [left, right]) {
      const work = async ({ id }: { readonly id: string }) => {
        overlaps += running > 0 ? 1 : 0
        running++
        await sleep(10)
        running--
        handled.push(id)
      }
      inbox.consume(work, { ...OPTIONS, onError: () => {} })
    }
    await putAll(left, createSeveral(4, 'before', { group: 'orders/A' }))
    await vi.waitFor(() => expect(handled).toHaveLength(4), { timeout: 10_000 })

    await volatile.kill()
    await volatile.start()
    const put = async () => expect(await left.put(createStored('first', { group: 'orders/A' }))).toBe('stored')
    await vi.waitFor(put, { timeout: 10_000 })
    await putAll(left, createSeveral(30, 'after', { group: 'orders/A' }))
    await vi.waitFor(() => expect(handled).toHaveLength(35), { timeout: 15_000 })
    expect(overlaps).toBe(0)
  })

  it('says what the server has answered at the start as the cause, and that it tries again', async () => {
    const inbox = open({ redis: server.url.replace('//', '//nobody:wrong@') })
    const error: unknown = await inbox.put(createStored('one')).catch((thrown: unknown) => thrown)
    expect(String(error)).toMatch(/could not connect, and tries again on its next use/)
    expect(error).toMatchObject({ cause: { message: expect.any(String) } })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('wrong')
  })
})

/** An address that new connections find wherever it was moved. */
async function createAddress(url: string) {
  let target = new URL(url)
  const sockets = new Set<Socket>()
  const proxy = createServer((socket) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const one of [socket, upstream]) {
      sockets.add(one)
      one.on('error', () => {}).on('close', () => [socket, upstream].map((each) => each.destroy()))
    }
    socket.pipe(upstream).pipe(socket)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => proxy.once('listening', resolve))
  return {
    url: `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    moveTo(other: string) {
      target = new URL(other)
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
