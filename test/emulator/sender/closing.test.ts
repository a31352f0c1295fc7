import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { EventRecord } from '../../../src/emulator/records.ts'
import {
  answer,
  closeAfterEach,
  createEndpoint,
  createEvents,
  createSenderHarness,
  createWebhook,
  startServer,
} from './harness.ts'

closeAfterEach()

const HOUR_MS = 3_600_000

/** The number of timers and sockets of this process. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = { Timeout: 0, TCPSocketWrap: 0 }
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return { Timeout: counts.Timeout ?? 0, TCPSocketWrap: counts.TCPSocketWrap ?? 0 }
}

describe('a closed sender', () => {
  it('ends calls, retries, delays and waiting calls, and leaves no timer and no socket', async () => {
    const endless = await createEndpoint(() => {})
    const failing = await createEndpoint(answer(500))
    const before = handles()
    const options = { retryDelayMs: () => HOUR_MS, timeoutMs: HOUR_MS }
    const harnesses = [
      createSenderHarness([createWebhook(endless.url)], options),
      createSenderHarness([createWebhook(failing.url)], options),
      createSenderHarness([createWebhook(endless.url)], { ...options, faults: { delayMs: HOUR_MS } }),
      createSenderHarness([createWebhook(endless.url)], { ...options, faults: { reorder: 1, wrongSignature: 1 } }),
    ]
    const [hung = expect.fail()] = harnesses
    const sent = harnesses.map(({ sender }) => Promise.all(createEvents(10).map((event) => sender.send(event))))
    sent.push(Promise.all(createEvents(300).map((event) => hung.sender.send(event))))
    await expect
      .poll(() => [endless.arrivals.length >= 256, failing.arrivals.length], { timeout: 10_000 })
      .toEqual([true, 10])
    expect(handles().Timeout).toBeGreaterThan(before.Timeout ?? 0)
    const begin = performance.now()
    await Promise.all(harnesses.map(({ sender }) => sender.close()))
    expect(performance.now() - begin).toBeLessThan(500)
    const ended = await Promise.all(sent)
    expect(ended.map((callbacks) => callbacks.flat().length).slice(0, 3)).toEqual([10, 10, 0])
    expect(hung.records.eventCallbacks.size).toBe(256)
    expect(new Set(hung.answers().map(([code]) => code))).toEqual(new Set([null]))
    await expect.poll(handles, { timeout: 10_000 }).toEqual(before)
  })

  it('sends nothing, and can be closed again', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)], { faults: { delayMs: HOUR_MS, reorder: 1 } })
    await sender.close()
    expect(await Promise.all(createEvents(2).map((event) => sender.send(event)))).toEqual([[], []])
    await Promise.all([sender.settled(), sender.close()])
    expect(arrivals).toEqual([])
  })

  it('does not make a call that was being prepared', async () => {
    const { url, arrivals } = await createEndpoint()
    const { sender } = createSenderHarness([createWebhook(url)])
    const sent = sender.send(createEvents(1)[0] ?? expect.fail())
    await sender.close()
    expect([await sent, arrivals]).toEqual([[], []])
  })
})

describe('a sender', () => {
  it('settles when nothing was sent, and for several waiters', async () => {
    const { url, arrivals } = await createEndpoint((response, _, nth) => response.writeHead(nth > 3 ? 200 : 500).end())
    const { sender } = createSenderHarness([createWebhook(url)])
    await sender.settled()
    void sender.send(createEvents(1)[0] ?? expect.fail())
    await Promise.all([sender.settled(), sender.settled()])
    expect(arrivals).toHaveLength(4)
  })

  it('keeps only the records of deliveries that have ended', async () => {
    let calls = 0
    const url = await startServer((request, response) => {
      calls += 1
      const status = calls % 10 === 0 ? 500 : 200
      request.resume().once('end', () => response.writeHead(status).end())
    })
    const faults = { duplicate: 0.1, reorder: 0.1, dropMidBody: 0.05, wrongTopic: 0.1, retryAfterSuccess: 0.1 }
    const { sender, records } = createSenderHarness([createWebhook(url)], { faults, timeoutMs: HOUR_MS })
    const sent: WeakRef<EventRecord>[] = []
    await deliver(2000)
    await sender.settled()
    expect(records.eventCallbacks.size).toBeGreaterThan(2000)
    records.eventCallbacks.clear()
    await expect.poll(left, { timeout: 10_000 }).toBe(0)

    async function deliver(count: number): Promise<void> {
      const events = createEvents(count)
      sent.push(...events.map((event) => new WeakRef(event)))
      await Promise.all(events.map((event) => sender.send(event)))
    }

    function left(): number {
      setFlagsFromString('--expose-gc')
      const collect: () => void = runInNewContext('gc')
      collect()
      return sent.filter((event) => event.deref()).length
    }
  })
})
