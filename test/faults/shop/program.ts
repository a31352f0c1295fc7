/**
 * A process of a shop, as its engineers would write it, but that it can kill itself: `program.mjs <settings as JSON>`. It tells its
 * parent the port as soon as it listens, and ends orderly on SIGTERM.
 */
import { appendFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNodeListener } from '../../../src/adapters/node.ts'
import type { WebhookEvent } from '../../../src/core/event.ts'
import { createReceiver } from '../../../src/receiver.ts'
import { createWorker } from '../../../src/worker.ts'
import { openInbox, openStore } from './engines.ts'
import type { Line, Settings, Stage } from './settings.ts'
import { reach } from './stages.ts'

const settings: Settings = JSON.parse(process.argv[2] ?? '{}')
const { effects, handlerMs = 0, port } = settings
const at = (stage: Stage) => reach(stage, settings.stage)

function write(what: Line['what'], { id, delivery, topic, resource, stale }: WebhookEvent): void {
  const { metadata, updated_at } = resource as { metadata?: { number?: unknown }; updated_at?: unknown }
  const line: Line = {
    what,
    event: id,
    delivery: delivery.id,
    topic,
    resource: resource.id,
    updatedAt: String(updated_at),
    number: Number(metadata?.number),
    stale,
    pid: process.pid,
  }
  appendFileSync(effects, `${JSON.stringify(line)}\n`)
}

const store = settings.idempotency && (await openStore(settings, at))
const inbox = settings.inbox && openInbox(settings, at)
const receiver = createReceiver({
  secrets: settings.secrets,
  ...settings.receiver,
  ...(store && { idempotency: { ...settings.idempotency, store } }),
  ...(inbox && { inbox }),
})

receiver.on('*', { name: 'effect' }, async (event, { signal }) => {
  write('begin', event)
  at('in the handler')
  if ((event.resource as { reference?: unknown }).reference === 'poison') throw new Error('This one always fails.')
  if (handlerMs > 0) {
    await sleep(handlerMs, undefined, { signal }).catch((error) => {
      write('aborted', event)
      throw error
    })
  }
  write('effect', event)
  at('after the effect')
})

const worker = settings.worker && inbox && createWorker({ receiver, inbox, ...settings.worker })
const server = port === undefined ? undefined : await listen(port)
process.send?.({ port: (server?.address() as AddressInfo | undefined)?.port })

process.once('SIGTERM', async () => {
  server?.close()
  await worker?.stop({ timeoutMs: 8000 })
  await receiver.close()
  await inbox?.close()
  await store?.close()
  process.disconnect()
})

async function listen(wanted: number): Promise<Server> {
  const listening = createServer(createNodeListener(receiver)).listen(wanted, '127.0.0.1')
  await new Promise((resolve, reject) => listening.once('listening', resolve).once('error', reject))
  return listening
}
