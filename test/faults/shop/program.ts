/**
 * A process of a shop that can kill itself at a stage: `shop.mjs <settings as JSON>`. It sends its
 * parent the port as soon as it listens, and shuts down on SIGTERM.
 */
import { appendFileSync, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeListener } from '../../../src/adapters/node.ts'
import type { WebhookEvent } from '../../../src/core/event/event.ts'
import type { Handler } from '../../../src/core/handle/handlers.ts'
import { createReceiver } from '../../../src/receiver/receiver.ts'
import { createWorker } from '../../../src/receiver/worker.ts'
import { openInbox, openStore } from './engines.ts'
import { openFence } from './fence.ts'
import type { Line, Settings } from './settings.ts'
import { killAtStage } from './stages.ts'

const settings: Settings = JSON.parse(process.argv[2] ?? '{}')
const { effects, handlerMs = 0, ignoresSignal, brokenWhile, port } = settings
const at = killAtStage(settings.stage, settings.visit)

function readNumber({ resource }: WebhookEvent): number {
  return Number((resource as { metadata?: { number?: unknown } }).metadata?.number)
}

function write(what: Line['what'], event: WebhookEvent): void {
  const { id, delivery, topic, resource, stale } = event
  const line: Line = {
    what,
    event: id,
    delivery: delivery.id,
    topic,
    resource: resource.id,
    updatedAt: String((resource as { updated_at?: unknown }).updated_at),
    number: readNumber(event),
    stale,
    pid: process.pid,
    time: Date.now(),
  }
  // Starts a new line, even if a process was killed in the middle of the previous one.
  appendFileSync(effects, `\n${JSON.stringify(line)}\n`)
}

const store = settings.idempotency && (await openStore(settings, at))
const inbox = settings.inbox && openInbox(settings, at)
const fence = settings.fence && openFence(settings, at)
const receiver = createReceiver({
  secrets: settings.secrets,
  ...settings.receiver,
  ...(store && { idempotency: { ...settings.idempotency, store } }),
  ...(inbox && { inbox }),
})

const handle: Handler = async (event, { signal }) => {
  write('begin', event)
  at('in-handler')
  if ((event.resource as { reference?: unknown }).reference === 'poison') throw new Error('This one always fails.')
  if (brokenWhile && existsSync(brokenWhile)) throw new Error('Everything fails.')
  if (handlerMs > 0) {
    await sleep(handlerMs, undefined, ignoresSignal ? {} : { signal }).catch((error) => {
      write('aborted', event)
      throw error
    })
  }
  await fence?.take(event.id, readNumber(event))
  write('effect', event)
  at('after-effect')
}
for (const topic of settings.topics ?? ['*'])
  receiver.on(topic as '*', { name: topic === '*' ? 'effect' : topic }, handle)

const worker = settings.worker && inbox && createWorker({ receiver, inbox, ...settings.worker })
const server = port === undefined ? undefined : await listen(port)
process.send?.({ port: (server?.address() as AddressInfo | undefined)?.port })

process.on('message', async () => {
  globalThis.gc?.()
  // Buffers are freed with a delay.
  await sleep(100)
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  process.send?.({ bytes: heapUsed + external })
})

process.once('SIGTERM', async () => {
  server?.close()
  await worker?.stop({ timeoutMs: 8000 })
  await receiver.close()
  await inbox?.close()
  await store?.close()
  await fence?.close()
  process.disconnect()
})

async function listen(wanted: number): Promise<Server> {
  const listening = createServer(createNodeListener(receiver)).listen(wanted, '127.0.0.1')
  await new Promise((resolve, reject) => listening.once('listening', resolve).once('error', reject))
  return listening
}
