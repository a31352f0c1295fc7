import { connect } from 'node:net'
import { createReceiver } from 'hooklayer'
import { createRecorder } from 'hooklayer/recorder'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { CART, delivery, order, recordingLogger, SECRET } from '../deliveries.ts'
import { startDashboard } from './harness.ts'
import { watchLive } from './watch-live.ts'

const { logger } = recordingLogger()

function createRecorded() {
  const recorder = createRecorder({ logger })
  onTestFinished(() => recorder.close())
  return { recorder, receiver: createReceiver({ secrets: SECRET, recorder, logger }) }
}

describe('live messages', () => {
  it('tell new deliveries together, the newest first, and each once', async () => {
    const { recorder, receiver } = createRecorded()
    const page = await startDashboard({ recorder })
    await receiver.receive(delivery('orders.place', CART))
    const live = await watchLive(page.url)
    const ids = Array.from({ length: 100 }, (_, i) => `order${i}`)
    for (const id of ids) await receiver.receive(delivery('orders.place', { data: order({ id }) }))
    const items = () => live.messages().flatMap((message) => (message.type === 'deliveries' ? [message.items] : []))
    await vi.waitFor(() => expect(items().flat()).toHaveLength(100), 10_000)
    expect(items().length).toBeLessThan(50)
    expect(items().flatMap((batch) => [...batch].reverse().map(({ resource }) => resource?.id))).toEqual(ids)
  })

  it('are a gap where more have come than are told', async () => {
    const { recorder } = createRecorded()
    const page = await startDashboard({ recorder })
    const live = await watchLive(page.url)
    for (let i = 0; i < 600; i++) {
      recorder.add({ receivedAt: new Date(), source: 'request', outcome: 'handled', topic: 'orders.place' })
    }
    await vi.waitFor(() => expect(live.messages()).toEqual([{ type: 'gap' }]), 5000)
    recorder.add({ receivedAt: new Date(), source: 'request', outcome: 'handled' })
    await vi.waitFor(() => expect(live.messages()).toMatchObject([{ type: 'gap' }, { items: { length: 1 } }]), 5000)
  })

  it('that a slow reader does not take are dropped, and it gets a gap; others are not held up', {
    timeout: 60_000,
  }, async () => {
    const { recorder } = createRecorded()
    const page = await startDashboard({ recorder })
    const { hostname, port } = new URL(page.url)
    const slow = connect({ host: hostname, port: Number(port), readableHighWaterMark: 1024 } as never)
    onTestFinished(() => void slow.destroy())
    slow.write(`GET /api/live HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`)
    slow.pause()
    const fast = await watchLive(page.url)
    const topic = `orders.${'x'.repeat(1000)}`
    let sent = 0
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 200; i++)
        recorder.add({ receivedAt: new Date(), source: 'request', outcome: 'handled', topic })
      sent += 200
      await new Promise((resolve) => setTimeout(resolve, 210))
    }
    const told = () =>
      fast.messages().reduce((sum, message) => sum + (message.type === 'deliveries' ? message.items.length : 0), 0)
    await vi.waitFor(() => expect(told()).toBe(sent), 5000)
    let text = ''
    slow.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    slow.resume()
    await vi.waitFor(() => expect(text).toContain('event: gap'), 10_000)
    const read = text.length
    expect(read).toBeLessThan(sent * topic.length) // What it has missed was not kept for it.
    recorder.add({ receivedAt: new Date(), source: 'request', outcome: 'handled', topic: 'orders.place' })
    await vi.waitFor(() => expect(text.slice(read)).toContain('"topic":"orders.place"'), 10_000)
  })

  it('are for 50 pages at once, and the places of those that have left are free again', async () => {
    const { recorder } = createRecorded()
    const subscribe = vi.spyOn(recorder, 'subscribe')
    const page = await startDashboard({ recorder })
    const pages = await Promise.all(Array.from({ length: 50 }, () => watchLive(page.url)))
    expect(subscribe).toHaveBeenCalledOnce()
    const { status, json } = await page.get('api/live')
    expect([status, json]).toEqual([503, { error: expect.stringContaining('Up to 50 pages') }])
    for (const one of pages) one.stop()
    await vi.waitFor(() => watchLive(page.url), 5000)
  })

  it('are not sent to HEAD, which nobody would end', async () => {
    const { recorder } = createRecorded()
    const page = await startDashboard({ recorder })
    for (let i = 0; i < 60; i++) expect((await fetch(`${page.url}api/live`, { method: 'HEAD' })).status).toBe(200)
    const { stop } = await watchLive(page.url)
    stop()
  })

  it('end with the dashboard', async () => {
    const { recorder } = createRecorded()
    const page = await startDashboard({ recorder })
    const response = await fetch(`${page.url}api/live`)
    page.dashboard.close()
    expect(await response.text()).toContain(': open')
    expect((await page.get('api/live')).status).toBe(503)
  })
})
