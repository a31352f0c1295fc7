import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createRecording, createSeveral, createStored } from '../../../src/contracts/inbox/harness.ts'
import type { ConsumeOptions } from '../../../src/core/inbox/inbox.ts'
import { createMemoryQueue } from '../../../src/inboxes/memory/queue.ts'
import { createConsumer } from '../../../src/inboxes/queue/consumer.ts'
import { type DeliveryQueue, INBOX_RULES } from '../../../src/inboxes/queue/queue.ts'
import { waitFor } from '../../wait-for.ts'

const { retentionMs, maxQueued, maxUnhandled, unhandledMs } = INBOX_RULES
const LIMITS = {
  retentionMs: retentionMs.fallback,
  maxQueued: maxQueued.fallback,
  maxUnhandled: maxUnhandled.fallback,
  unhandledMs: unhandledMs.fallback,
  deadLetterRetentionMs: undefined,
}

/**
 * A queue in memory that says of some deliveries that workers were lost with them. Memory itself loses no workers.
 *
 * @param seen the ids of those whose last attempt has had a result since; the others get there with their first lease.
 */
function createLossyQueue(lossesOf: (id: string) => number, seen = new Set<string>()): DeliveryQueue {
  const queue = createMemoryQueue(LIMITS)
  const lease: DeliveryQueue['lease'] = async (request) => {
    const leased = await queue.lease(request)
    return leased.map((one) => {
      const { id } = one.delivery
      const isLost = lossesOf(id) > 0 && !seen.has(id)
      seen.add(id)
      return Object.assign(one, { losses: lossesOf(id), isLost })
    })
  }
  return { ...queue, lease }
}

function work(
  queue: DeliveryQueue,
  recording: ReturnType<typeof createRecording>,
  delays: number[] = [],
  others: Partial<ConsumeOptions> = {},
) {
  const delayMs = (attempt: number) => {
    delays.push(attempt)
    return 30
  }
  const onError = (error: unknown) => {
    throw error
  }
  const options = { concurrency: 4, concurrencyByTopic: {}, attempts: 5, delayMs, onError, ...others }
  const consumer = createConsumer(queue, recording.process, options, 30_000)
  onTestFinished(() => consumer.stop({ timeoutMs: 0 }))
  return consumer
}

describe('a delivery whose worker was lost', () => {
  it('once is handled at once, beside others', async () => {
    const queue = createLossyQueue((id) => (id === 'lost' ? 1 : 0))
    for (const delivery of [createStored('lost'), ...createSeveral(3, 'other')]) await queue.put(delivery)
    const delays: number[] = []
    const recording = createRecording(() => sleep(50))
    work(queue, recording, delays)
    await waitFor(() => expect(recording.ended).toHaveLength(4))
    expect(recording.peak.get('all')).toBe(4)
    expect(delays).toEqual([])
  })

  it('twice never runs beside another one, and only after a pause', async () => {
    const queue = createLossyQueue((id) => (id.startsWith('deadly') ? 2 : 0))
    const together: number[] = []
    let running = 0
    const recording = createRecording(async ({ id }) => {
      running += 1
      if (id.startsWith('deadly')) together.push(running)
      await sleep(20)
      if (id.startsWith('deadly')) together.push(running)
      running -= 1
    })
    for (const delivery of [...createSeveral(2, 'deadly'), ...createSeveral(8, 'good')]) await queue.put(delivery)
    const delays: number[] = []
    work(queue, recording, delays)
    await vi.waitFor(() => expect(recording.ended).toHaveLength(10), { timeout: 5000 })
    expect(together).toEqual([1, 1, 1, 1])
    expect(delays).toEqual([2, 2])
    expect(recording.peak.get('all')).toBeGreaterThan(1)
  })

  it('twice never runs beside those that were leased together with it', async () => {
    const queue = createLossyQueue((id) => (id === 'deadly' ? 2 : 0), new Set(['deadly']))
    for (const delivery of [createStored('deadly'), ...createSeveral(3, 'good')]) await queue.put(delivery)
    const recording = createRecording(() => sleep(50))
    work(queue, recording)
    await waitFor(() => expect(recording.started).toContain('deadly'))
    expect(recording.started).toEqual(['deadly'])
    await waitFor(() => expect(recording.ended).toHaveLength(4))
    expect(recording.ended[0]).toBe('deadly')
  })

  it('twice never waits for a second for each other one', async () => {
    const queue = createLossyQueue(() => 2)
    for (const delivery of createSeveral(20, 'deadly')) await queue.put(delivery)
    const recording = createRecording()
    work(queue, recording)
    await vi.waitFor(() => expect(recording.ended).toHaveLength(20), { timeout: 8000 })
    expect(recording.peak.get('all')).toBe(1)
  })

  it('is returned when the worker stops before it could run alone', async () => {
    const queue = createLossyQueue((id) => (id === 'deadly' ? 2 : 0))
    let end = () => {}
    const recording = createRecording(
      ({ id }) =>
        id === 'long' &&
        new Promise<void>((resolve) => {
          end = resolve
        }),
    )
    await queue.put(createStored('long'))
    await queue.put(createStored('deadly'))
    const consumer = work(queue, recording)
    await waitFor(() => expect(recording.started).toEqual(['long']))
    await sleep(400)
    const stopped = consumer.stop()
    await waitFor(async () => expect(await queue.statistics()).toMatchObject({ queued: 1, running: 1 }))
    end()
    await stopped
    expect(recording.started).toEqual(['long'])
  })
})

/** A queue that is asked over a network: a request is answered after some milliseconds. */
function createRemoteQueue(recording: ReturnType<typeof createRecording>, answerMs = 5) {
  const queue = createMemoryQueue(LIMITS)
  const requests: { readonly capacity: number; readonly ended: number }[] = []
  const lease: DeliveryQueue['lease'] = async (request) => {
    requests.push({ capacity: request.capacity, ended: recording.ended.length })
    await sleep(answerMs)
    return queue.lease(request)
  }
  return { queue: { ...queue, leasedAtOnce: 10, lease }, requests }
}

describe('a queue on a server', () => {
  it('is asked for the next deliveries before those of the last answer are handled', async () => {
    const recording = createRecording()
    const { queue, requests } = createRemoteQueue(recording)
    for (const delivery of createSeveral(12, 'one')) await queue.put(delivery)
    work(queue, recording)
    await waitFor(() => expect(recording.ended).toHaveLength(12))
    expect(requests.slice(0, 3)).toEqual([
      { capacity: 2, ended: 0 },
      { capacity: 2, ended: 0 },
      { capacity: 2, ended: 2 },
    ])
  })

  it('never makes a worker handle more than its concurrency, nor more of a topic than its limit', async () => {
    const recording = createRecording(() => sleep(20))
    const { queue } = createRemoteQueue(recording)
    for (const delivery of createSeveral(12, 'one')) await queue.put(delivery)
    for (const delivery of createSeveral(4, 'slow', { topic: 'orders.cancel' })) await queue.put(delivery)
    work(queue, recording, [], { concurrencyByTopic: { 'orders.cancel': 1 } })
    await vi.waitFor(() => expect(recording.ended).toHaveLength(16), { timeout: 5000 })
    expect(recording.peak.get('all')).toBe(4)
    expect(recording.peak.get('orders.cancel')).toBe(1)
  })

  it('gets back what it answers while the worker stops', async () => {
    const recording = createRecording()
    const { queue, requests } = createRemoteQueue(recording, 50)
    for (const delivery of createSeveral(12, 'one')) await queue.put(delivery)
    const consumer = work(queue, recording)
    await waitFor(() => expect(requests).toHaveLength(2))
    await consumer.stop()
    expect(recording.started).toHaveLength(2)
    expect(await queue.statistics()).toMatchObject({ queued: 10, running: 0 })
  })

  it('is asked again when a request fails that was sent ahead', async () => {
    const recording = createRecording()
    const { queue } = createRemoteQueue(recording)
    for (const delivery of createSeveral(12, 'one')) await queue.put(delivery)
    let asked = 0
    const lease: DeliveryQueue['lease'] = async (request) => {
      asked += 1
      if (asked === 2) throw new Error('The connection was closed.')
      return queue.lease(request)
    }
    const errors: unknown[] = []
    work({ ...queue, lease }, recording, [], { onError: (error) => errors.push(error) })
    await vi.waitFor(() => expect(recording.ended).toHaveLength(12), { timeout: 5000 })
    expect(errors).toEqual([new Error('The connection was closed.')])
  })
})
