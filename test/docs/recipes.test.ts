import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { createReceiver } from 'hooklayer'
import type { Observer } from 'hooklayer/drivers'
import { pino } from 'pino'
import { register } from 'prom-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { CART, delivery, idOf, recordingLogger, SECRET } from '../deliveries.ts'
import { fixtureFolder, installFixture } from '../fixtures/install.ts'
import { itUnless } from '../unless.ts'
import { waitFor } from '../wait-for.ts'
import { parseCodeBlocks } from './code-blocks.ts'

const PLACED = delivery('orders.place', CART)
const FOLDER = resolve('test/docs/.blocks/recipes')
/** Where Sentry's packages are found. */
const SENTRY_FOLDER = join(fixtureFolder('sentry'), '.blocks')
const noSentry = await installFixture('sentry')

const page = parseCodeBlocks('docs/observability.md')
const RECIPES = page.filter(({ title }) => ['sentry.ts', 'prometheus.ts', 'slack.ts', 'pino.ts'].includes(title))

beforeAll(() => {
  for (const { title, code } of RECIPES) {
    const folder = title === 'sentry.ts' ? SENTRY_FOLDER : FOLDER
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, title), code)
  }
})
afterAll(() => {
  for (const folder of [FOLDER, SENTRY_FOLDER]) rmSync(folder, { recursive: true, force: true })
})

/** Receives deliveries whose handler fails until the circuit may open soon, and one that succeeds. */
async function receiveAll(observer: Observer) {
  const { logger, messages } = recordingLogger()
  const receiver = createReceiver({ secrets: SECRET, logger, observers: [observer] })
  let isDown = true
  receiver.on('orders.place', { name: 'erp' }, async () => {
    if (isDown) throw new Error('ada@example.com is unknown')
  })
  for (let i = 0; i < 10; i += 1) await receiver.receive(PLACED)
  isDown = false
  await receiver.receive(PLACED)
  return { messages }
}

interface Received {
  readonly request: IncomingMessage
  readonly body: string
}

/** A server that keeps what it is sent. */
async function startServer() {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    received.push({ request, body: await text(request) })
    response.setHeader('content-type', 'application/json').end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

describe('the recipes', () => {
  it('are there, with at most ten lines of code each', () => {
    expect(RECIPES.map(({ title }) => title)).toEqual(['sentry.ts', 'prometheus.ts', 'slack.ts', 'pino.ts'])
    for (const { title, code } of RECIPES) {
      const lines = code.split('\n').filter((line) => line.trim() !== '')
      expect(lines.length, title).toBeLessThanOrEqual(10)
    }
  })

  it('for Prometheus gives its registry the durations, by topic and outcome', async () => {
    onTestFinished(() => register.clear())
    const { prometheus } = (await import(join(FOLDER, 'prometheus.ts'))) as { prometheus: Observer }
    await receiveAll(prometheus)
    const server = createServer(async (_, response) => response.end(await register.metrics())).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const scraped = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`)
    const lines = (await scraped.text()).split('\n')
    expect(lines).toContain('webhook_duration_seconds_count{topic="orders.place",outcome="failed"} 10')
    expect(lines).toContain('webhook_duration_seconds_count{topic="orders.place",outcome="handled"} 1')
  })

  it('for Slack posts a message before the circuit opens', async () => {
    const { host, received } = await startServer()
    vi.stubEnv('SLACK_URL', `http://${host}/services/T0/B0/x`)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { slack } = (await import(join(FOLDER, 'slack.ts'))) as { slack: Observer }
    await receiveAll(slack)
    await waitFor(() => expect(received).toHaveLength(1))
    expect(received[0]?.request).toMatchObject({ method: 'POST', url: '/services/T0/B0/x' })
    expect(received[0]?.request.headers['content-type']).toBe('application/json')
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      text: 'The webhook of orders.place has 10 failures in a row.',
    })
  })

  it('for Slack does no harm while Slack is down', async () => {
    vi.stubEnv('SLACK_URL', 'http://127.0.0.1:9/')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { slack } = (await import(join(FOLDER, 'slack.ts'))) as { slack: Observer }
    const { messages } = await receiveAll(slack)
    await waitFor(() => expect(messages()).toContainEqual(expect.stringMatching(/observer failed/i)))
  })

  it('for pino writes a line for each event', async () => {
    const { createPinoObserver } = (await import(join(FOLDER, 'pino.ts'))) as {
      createPinoObserver(logger: unknown): Observer
    }
    const stream = new PassThrough()
    await receiveAll(createPinoObserver(pino(stream)))
    stream.end()
    const lines = (await text(stream)).trim().split('\n')
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events).toHaveLength(11 * 4 + 1)
    expect(events.at(-1)).toMatchObject({
      msg: 'finished orders.place',
      type: 'finished',
      topic: 'orders.place',
      outcome: 'handled',
      deliveryId: idOf('orders.place', PLACED.body),
      resource: { type: 'orders', id: 'NrlYhpzLKA' },
    })
    expect(lines.join()).not.toContain('ada@example.com')
  })

  itUnless(noSentry)(
    'for Sentry sends a message before the circuit opens, and tags what handlers send',
    async () => {
      const { host, received } = await startServer()
      // In a process of its own, because Sentry changes what it is loaded into.
      const entry = join(SENTRY_FOLDER, 'entry.ts')
      writeFileSync(entry, "export * as Sentry from '@sentry/node'\nexport { sentry } from './sentry.ts'\n")
      const words = ['--import', 'tsx', 'test/docs/sentry-program.ts', entry, `http://key@${host}/1`]
      await promisify(execFile)(process.execPath, words)
      expect(received.map(({ request }) => request.url?.replace(/\?.*/, ''))).toContain('/api/1/envelope/')
      const items = received.flatMap(({ body }) => body.split('\n').filter(Boolean))
      const events = items
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ event_id, level }) => event_id && level)
      const message = events.find((event) => event.message === 'breaker orders.place')
      expect(message).toMatchObject({
        level: 'error',
        extra: { level: 10, topic: 'orders.place', consecutiveFailures: 10 },
      })
      const captured = events.filter((event) => event.exception && !event.message)
      expect(captured).toHaveLength(20)
      for (const { tags, exception } of captured) {
        const [, handler] = /"(\w+) is down/.exec(JSON.stringify(exception)) ?? []
        expect(tags).toEqual({ topic: 'orders.place', handler })
      }
    },
    60_000,
  )
})
