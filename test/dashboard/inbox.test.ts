import { rmSync } from 'node:fs'
import { createReceiver, createWorker, type Inbox } from 'hooklayer'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createSqliteInbox } from 'hooklayer/inboxes/sqlite'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSeveral } from '../../src/contracts/inbox/harness.ts'
import type { DeadLetterDetails, InboxCounts, InboxPage, Job } from '../../src/dashboard/api.ts'
import { addDeadLetters, addFailedOrder, ORDER } from '../cli/dead-letters.ts'
import { recordingLogger } from '../deliveries.ts'
import { createFolder } from '../inboxes/sqlite/place.ts'
import { noRedisProgram, startRedis } from '../servers/redis.ts'
import { type Page, startDashboard } from './harness.ts'
import { watchLive } from './watch-live.ts'

function createInbox(): { readonly inbox: Inbox; readonly file: string } {
  const { file, remove } = createFolder()
  const inbox = createSqliteInbox({ file })
  onTestFinished(async () => {
    await inbox.close()
    remove()
  })
  return { inbox, file }
}

async function waitForEnd(page: Page, { id }: Job): Promise<Job> {
  const read = async () => (await page.get<Job>(`api/jobs/${id}`)).json
  await vi.waitFor(async () => expect((await read()).state).toMatch(/done|failed|undone/), { timeout: 30_000 })
  return read()
}

describe('the inbox', () => {
  it('is counted and listed, page by page and by filter', async () => {
    const { inbox } = createInbox()
    await addDeadLetters(inbox, 3)
    await Promise.all(createSeveral(2, 'customers.create', { topic: 'customers.create' }).map((one) => inbox.put(one)))
    const { get } = await startDashboard({ inbox })
    const { json: counts } = await get<InboxCounts>('api/inbox')
    expect(counts).toMatchObject({ queued: 2, dead: 3, byTopic: { 'orders.place': { dead: 3 } } })
    expect(counts.oldest).toMatch(/^\d{4}-.*Z$/)
    const { json: first } = await get<InboxPage>('api/inbox/deliveries?limit=4')
    expect(first).toMatchObject({ hasMore: true, items: { length: 4 } })
    const { json: rest } = await get<InboxPage>(`api/inbox/deliveries?after=${first.items.at(-1)?.id}`)
    expect(rest).toMatchObject({ hasMore: false, items: { length: 1 } })
    const { json: dead } = await get<InboxPage>('api/inbox/deliveries?state=dead,running&topic=orders.place')
    expect(dead.items.map(({ state }) => state)).toEqual(['dead', 'dead', 'dead'])
    expect((await get('api/inbox/deliveries?state=gone')).status).toBe(400)
    expect((await get('api/inbox/deliveries?stat=dead')).status).toBe(400)
    expect((await get('api/inbox/deliveries?limit=501')).status).toBe(400)
  })

  it('shows a dead letter with order, handler, cause and attempts, and no personal data', async () => {
    const { inbox } = createInbox()
    const id = await addFailedOrder(inbox, 'full')
    const page = await startDashboard({ inbox })
    const { json, text } = await page.get<DeadLetterDetails>(`api/inbox/dead/${id}`)
    expect(json).toMatchObject({
      topic: 'orders.place',
      state: 'dead',
      attempts: 1,
      maxAttempts: 1,
      resource: { type: 'orders', id: ORDER.id, number: '1054' },
      error: { code: 'HANDLER_FAILED', handler: 'erp', cause: expect.stringMatching(/ERP has refused …$/) },
      isMasked: true,
    })
    const list = await page.get(`api/inbox/deliveries?search=zoe@example.com`)
    expect(list.json).toMatchObject({ items: [{ id }] })
    expect(`${text}${list.text}`).not.toContain('zoe@')
  })

  it('shows all of it with redact: false', async () => {
    const { inbox } = createInbox()
    const id = await addFailedOrder(inbox, 'full')
    const { get } = await startDashboard({ inbox, redact: false })
    const { json, text } = await get<DeadLetterDetails>(`api/inbox/dead/${id}`)
    expect(json).toMatchObject({ isMasked: false, error: { cause: 'The ERP has refused zoe@example.com' } })
    expect(text).toContain('"email":"zoe@example.com"')
  })

  it('answers 404 for an id that is not there, hostile ones included', async () => {
    const { inbox } = createInbox()
    const { get, delete: remove } = await startDashboard({ inbox })
    for (const id of ['nothing', "' OR 1=1 --", '../../etc/passwd', '<script>', '\u202e', 'x'.repeat(300)]) {
      const { status, json } = await get(`api/inbox/dead/${encodeURIComponent(id)}`)
      expect([status, json]).toEqual([404, { error: 'There is no such dead letter any more.' }])
      expect((await get(`api/jobs/${encodeURIComponent(id)}`)).status).toBe(404)
      expect((await remove(`api/jobs/${encodeURIComponent(id)}`)).status).toBe(404)
    }
    expect((await get(`api/inbox/dead/${'x'.repeat(301)}`)).status).toBe(400)
  })
})

describe('a retry', () => {
  it('of a thousand dead letters has each effect once, and tells how far it is', { timeout: 120_000 }, async () => {
    const { inbox } = createInbox()
    let isDown = true
    const effects = new Map<string, number>()
    const { logger } = recordingLogger()
    const receiver = createReceiver({ secrets: TEST_SECRET, inbox, logger })
    receiver.on('orders.place', ({ resource: { id } }) => {
      if (isDown) throw new Error('down')
      effects.set(id, (effects.get(id) ?? 0) + 1)
    })
    const worker = createWorker({ receiver, inbox, attempts: 1, concurrency: 50, logger })
    onTestFinished(() => worker.stop())
    const ids = Array.from({ length: 1000 }, (_, i) => `order${i}`)
    for (const id of ids) await receiver.receive(await createDelivery('orders.place', { resource: { id } }))
    await vi.waitFor(async () => expect((await inbox.statistics()).dead).toBe(1000), { timeout: 60_000 })
    isDown = false
    const page = await startDashboard({ inbox })
    const live = await watchLive(page.url)
    const { status, json } = await page.post<Job>('api/inbox/retry', { all: true })
    expect([status, json.total]).toEqual([202, 1000])
    expect(await waitForEnd(page, json)).toMatchObject({ state: 'done', done: 1000 })
    await vi.waitFor(() => expect(effects.size).toBe(1000), { timeout: 60_000 })
    expect([...new Set(effects.values())]).toEqual([1])
    expect((await inbox.statistics()).dead).toBe(0)
    const progress = live.messages().flatMap((message) => (message.type === 'job' ? [message.job.done] : []))
    expect(progress.length).toBeGreaterThan(5)
    expect(progress).toEqual([...progress].sort((one, other) => one - other))
  })

  it('of some by their ids, twice the same, retries these once', async () => {
    const { inbox } = createInbox()
    await addDeadLetters(inbox, 3)
    const page = await startDashboard({ inbox })
    const { items } = (await page.get<InboxPage>('api/inbox/deliveries?state=dead')).json
    const ids = [items[0]?.id, items[1]?.id, items[0]?.id]
    const job = (await page.post<Job>('api/inbox/retry', { ids })).json
    expect(await waitForEnd(page, job)).toMatchObject({ state: 'done', done: 2, total: 2 })
    expect(await inbox.statistics()).toMatchObject({ dead: 1, queued: 2 })
  })

  it('by a filter takes what matches, and an empty filter is refused', async () => {
    const { inbox } = createInbox()
    await addDeadLetters(inbox, 2)
    await addDeadLetters(inbox, 2, 'customers.create')
    const page = await startDashboard({ inbox })
    for (const choice of [{ filter: {} }, { filter: { topics: 'x' } }, {}, { all: false }, { ids: [] }, [], null]) {
      expect((await page.post('api/inbox/retry', choice)).status).toBe(400)
    }
    const job = (await page.post<Job>('api/inbox/retry', { filter: { topic: 'customers.create' } })).json
    expect(await waitForEnd(page, job)).toMatchObject({ state: 'done', total: 2 })
    expect((await inbox.statistics()).byTopic).toMatchObject({ 'orders.place': { dead: 2 } })
  })
})

describe('a discard', () => {
  it('waits for ten seconds, and can be undone until then', async () => {
    const { inbox } = createInbox()
    await addDeadLetters(inbox, 2)
    const page = await startDashboard({ inbox })
    const job = (await page.post<Job>('api/inbox/discard', { all: true })).json
    expect(job).toMatchObject({ state: 'waiting', total: 2 })
    expect(Date.parse(job.startsAt) - Date.now()).toBeGreaterThan(8000)
    expect((await page.delete<Job>(`api/jobs/${job.id}`)).json).toMatchObject({ state: 'undone', done: 0 })
    expect((await page.delete(`api/jobs/${job.id}`)).status).toBe(409)
    await new Promise((resolve) => setTimeout(resolve, 10_500))
    expect((await inbox.statistics()).dead).toBe(2)
  })

  it('is carried out then, and takes no dead letter that came after it was asked for', async () => {
    const { inbox } = createInbox()
    await addDeadLetters(inbox, 2)
    const page = await startDashboard({ inbox })
    const job = (await page.post<Job>('api/inbox/discard', { all: true })).json
    await addDeadLetters(inbox, 1, 'customers.create')
    expect((await inbox.statistics()).dead).toBe(3)
    expect(await waitForEnd(page, job)).toMatchObject({ state: 'done', done: 2 })
    expect(await inbox.statistics()).toMatchObject({ dead: 1, byTopic: { 'customers.create': { dead: 1 } } })
  })

  it('that waits is undone when the dashboard is closed', async () => {
    const { inbox } = createInbox()
    await addDeadLetters(inbox, 1)
    const page = await startDashboard({ inbox })
    const job = (await page.post<Job>('api/inbox/discard', { all: true })).json
    page.dashboard.close()
    expect((await page.get<Job>(`api/jobs/${job.id}`)).json.state).toBe('undone')
  })
})

it('a thousand jobs at once are a hundred, and the others are refused', async () => {
  const { dashboard, url, token } = await startDashboard({ inbox: createMemoryInbox() })
  const headers = { origin: new URL(url).origin, 'x-hooklayer-token': token }
  const body = JSON.stringify({ ids: ['a'] })
  // Without sockets, so that all are there before the first can be undone no more.
  const discard = () => dashboard.fetch(new Request(`${url}api/inbox/discard`, { method: 'POST', headers, body }))
  const answers = await Promise.all(Array.from({ length: 1000 }, discard))
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(100)
  expect(answers.filter(({ status }) => status === 503)).toHaveLength(900)
})

describe('an inbox that is down', () => {
  const CALLS = ['api/inbox', 'api/inbox/deliveries', 'api/inbox/dead/some-id']

  async function expectUnavailable(page: Page, secret: string): Promise<void> {
    for (const path of CALLS) {
      const { status, json, text } = await page.get(path)
      expect([path, status, json]).toEqual([
        path,
        503,
        { error: expect.stringMatching(/^The inbox does not answer\./) },
      ])
      expect(text).not.toContain(secret)
    }
    expect((await page.post('api/inbox/retry', { all: true })).status).toBe(503)
    const job = (await page.post<Job>('api/inbox/retry', { ids: ['some-id'] })).json
    expect(await waitForEnd(page, job)).toMatchObject({ state: 'failed', done: 0 })
    expect((await page.get('api/setup')).status).toBe(200)
    expect(page.logged()).toContain('could not use the inbox')
  }

  it.skipIf(noRedisProgram)('on Redis is a sentence, and the rest of the page works', { timeout: 60_000 }, async () => {
    const redis = await startRedis({ appendfsync: 'everysec' })
    const inbox = createBullmqInbox({ redis: redis.url })
    onTestFinished(() => inbox.close().catch(() => {}))
    const page = await startDashboard({ inbox })
    expect((await page.get('api/inbox')).status).toBe(200)
    await redis.close()
    await expectUnavailable(page, redis.url)
  })

  it('because its file was removed changes nothing, and the job says so', async () => {
    const { inbox, file } = createInbox()
    await addDeadLetters(inbox, 2)
    const page = await startDashboard({ inbox })
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true })
    const job = (await page.post<Job>('api/inbox/retry', { all: true })).json
    const ended = await waitForEnd(page, job)
    expect(ended).toMatchObject({
      state: 'failed',
      done: 0,
      error: expect.stringMatching(/^The inbox does not answer/),
    })
    expect(JSON.stringify(ended)).not.toContain(file)
    expect((await page.get<InboxCounts>('api/inbox')).json.dead).toBe(2)
  })
})

it('inbox counts are read for all open pages at once, and only while one is open', { timeout: 20_000 }, async () => {
  const inbox = createMemoryInbox()
  const statistics = vi.spyOn(inbox, 'statistics')
  const page = await startDashboard({ inbox })
  const stop = [await watchLive(page.url), await watchLive(page.url), await watchLive(page.url)]
  await vi.waitFor(() => expect(stop[2]?.messages()).toMatchObject([{ type: 'inbox', counts: { dead: 0 } }]), 5000)
  expect(statistics).toHaveBeenCalledOnce()
  for (const one of stop) one.stop()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const before = statistics.mock.calls.length
  await new Promise((resolve) => setTimeout(resolve, 2500))
  expect(statistics).toHaveBeenCalledTimes(before)
})
