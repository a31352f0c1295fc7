import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresBackend, Queue } from 'bullmq'
import { createBullmqInbox } from 'hooklayer/inboxes/bullmq'
import pg from 'pg'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import {
  createRecording,
  createScene,
  createSeveral,
  createStored,
  putAll,
} from '../../../src/contracts/inbox/harness.ts'
import { noPostgres, startPostgres } from '../../servers/postgres.ts'
import { noRedis, startRedis } from '../../servers/redis.ts'
import { describeUnless } from '../../unless.ts'

const ENGINES = [
  { engine: 'redis', missing: noRedis, start: () => startRedis() },
  { engine: 'postgres', missing: noPostgres, start: () => startPostgres() },
] as const

/** Several jobs are taken at once as long as there are as many as were asked for. */
for (const { engine, missing, start } of ENGINES) {
  describeUnless(missing)(`a long queue on ${engine}`, { timeout: 60_000 }, () => {
    let server: Awaited<ReturnType<typeof start>>
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.close())

    async function openScene() {
      const name = `hooklayer-test-${randomUUID()}`
      const open = () => createBullmqInbox({ [engine]: server.url, name })
      const scene = await createScene({ start: () => ({ open }), timeoutMs: 40_000, isDurable: true })
      return { ...scene, name, inbox: await scene.open() }
    }

    /** BullMQ's own object for the queue of the deliveries without a group. */
    function openQueue(name: string): Queue {
      const pool = new pg.Pool({ connectionString: server.url, options: '-c search_path=bullmq' })
      const connection: object = engine === 'redis' ? { url: server.url } : pool
      // BullMQ's types know Redis only.
      const create = (engine === 'redis' ? undefined : createPostgresBackend) as undefined
      const queue = new Queue(name, { connection }, create)
      onTestFinished(async () => {
        await queue.close()
        await pool.end()
      })
      return queue
    }

    it('does not keep one waiting that is due for its next attempt', async () => {
      const { inbox, consume, waitFor } = await openScene()
      await putAll(inbox, [createStored('retried'), ...createSeveral(300, 'other')])
      const { process, started } = createRecording(async ({ id }, { number }) => {
        if (id === 'retried' && number === 1) throw new Error('not yet')
        await sleep(20)
      })
      // The rest takes a second and a half. The one that is retried comes after what was before it, and is then behind.
      consume(inbox, process, { delayMs: () => 50 })
      await waitFor(() => expect(started.length).toBeGreaterThan(40))
      await inbox.put(createStored('last'))
      await waitFor(async () => expect(await inbox.statistics()).toMatchObject({ queued: 0, running: 0, failed: 0 }))
      expect(started.lastIndexOf('retried')).toBeLessThan(started.indexOf('last'))
      expect(started).toHaveLength(303)
    })

    it('is left alone while BullMQ has paused it', async () => {
      const { inbox, consume, waitFor, name } = await openScene()
      await putAll(inbox, createSeveral(200, 'one'))
      const { process, started, ended } = createRecording(() => sleep(5))
      consume(inbox, process)
      await waitFor(() => expect(started.length).toBeGreaterThan(20))
      const queue = openQueue(name)
      await queue.pause()
      await sleep(100)
      const before = started.length
      expect(before).toBeLessThan(200)
      await sleep(300)
      expect(started).toHaveLength(before)
      await queue.resume()
      await waitFor(() => expect(ended).toHaveLength(200))
      expect(new Set(started).size).toBe(200)
    })

    it('is leased to each of several workers once, in the order of storing', async () => {
      const { inbox, open, consume, waitFor } = await openScene()
      const deliveries = createSeveral(200, 'one')
      await putAll(inbox, deliveries)
      const recordings = [createRecording(() => sleep(2)), createRecording(() => sleep(2))]
      for (const { process } of recordings) consume(await open(), process, { concurrency: 10 })
      await waitFor(() => expect(recordings.flatMap(({ ended }) => ended)).toHaveLength(200))
      const places = new Map(deliveries.map(({ id }, place) => [id, place]))
      for (const { started } of recordings) {
        const order = started.map((id) => places.get(id) ?? -1)
        expect(order).toEqual([...order].sort((a, b) => a - b))
      }
      expect(new Set(recordings.flatMap(({ started }) => started)).size).toBe(200)
    })
  })
}
