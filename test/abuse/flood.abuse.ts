import { describe, expect, it } from 'vitest'
import { delivery, order } from '../deliveries.ts'
import { createDeliverer, deliverEvenly, percentile } from './deliverer.ts'
import { HOSTS, startShop } from './shop.ts'
import { sendAllButOneByte, startFlood } from './strangers.ts'

const ORDER = delivery('orders.place', { data: order() })
const FLOOD = { held: 1600, perSecond: 300, topics: ['orders.place', 'made.up', 'customers.create', 'orders.refund'] }
const MB = 1024 * 1024

describe.each(HOSTS)('half-open requests on %s', (host) => {
  it('keep no genuine delivery from its answer', async () => {
    const shop = await startShop(host)
    const strangers = await startFlood(shop, FLOOD)
    const answers = await deliverEvenly(shop, ORDER, 150, 20)
    strangers.stop()
    // Node accepts the first 1,600 connections in one go, which takes a third of a second.
    const opening = percentile(answers.slice(0, 50), 0.99).toFixed()
    const later = answers.slice(50)
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(later, share).toFixed())
    console.log(`${host}: p50 ${p50} ms, p99 ${p99} ms; ${opening} ms while the flood begins`)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(strangers.count()).toBeGreaterThan(FLOOD.held + FLOOD.perSecond)
    expect(await shop.ask({ ask: 'handled' })).toBe(answers.length)
  })
})

describe('unfinished bodies', () => {
  it('of 5 MB each do not take more memory than their budget, and keep no genuine delivery from its answer', async () => {
    const shop = await startShop('node')
    await deliverEvenly(shop, ORDER, 50, 5)
    const idle = await shop.ask({ ask: 'memory' })
    const body = new Uint8Array(5 * MB).fill(0x20)
    const strangers = await Promise.all(Array.from({ length: 400 }, () => sendAllButOneByte(shop, body)))
    const answers = await deliverEvenly(shop, ORDER, 150, 20)
    const grown = ((await shop.ask({ ask: 'memory' })) - idle) / MB
    for (const one of strangers) one.destroy()
    console.log(`memory: ${grown.toFixed()} MB over idle, p99 ${percentile(answers, 0.99).toFixed()} ms`)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(grown).toBeLessThan(200)
  })
})

describe('a flood', () => {
  it('does not keep a worker in the same process from stored deliveries', async () => {
    const shop = await startShop('node')
    const handleSome = () => shop.ask({ ask: 'handle-stored', count: 1000 })
    await handleSome()
    const before = await handleSome()
    const strangers = await startFlood(shop, FLOOD)
    const during = await handleSome()
    strangers.stop()
    console.log(`stored deliveries: ${(during / before).toFixed(2)} times as long as without the flood`)
    expect(during / before).toBeLessThan(1.5)
  })
})

describe('a burst of genuine deliveries of 60 KB', () => {
  // Whether a machine is fast enough for the usual 4 s is not what is tested.
  const patient = { deadlineMs: 60_000, bodyTimeoutMs: 60_000 }
  // Bodies of one HTTP/2 connection wait for each other, so many of them are unfinished for long.
  const shared = { ...patient, maxUnverified: 4096 }

  it.each(HOSTS)('loses none on %s', async (host) => {
    const shop = await startShop(host, { receiver: host === 'http2' ? shared : patient })
    const count = host === 'http2' ? 1000 : 3000
    const large = delivery('orders.place', { data: order({ attributes: { padding: 'x'.repeat(60_000) } }) })
    const deliver = createDeliverer(shop)
    const answers = await Promise.all(Array.from({ length: count }, () => deliver.send(large)))
    deliver.end()
    console.log(`${host}: p99 ${percentile(answers, 0.99).toFixed()} ms`)
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(await shop.ask({ ask: 'handled' })).toBe(count)
  })
})
