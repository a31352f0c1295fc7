import type { RequestListener } from 'node:http'
import { createReceiver, type Receiver } from 'hooklayer'
import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createManagement, type Management } from 'hooklayer/management'
import { createNodeListener } from 'hooklayer/node'
import { onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { recordingLogger } from '../deliveries.ts'

export interface CommerceLayer {
  readonly emulator: Emulator
  readonly api: Management
}

/** Starts an emulator that retries quickly, and makes a client of its API. It ends with the test. */
export async function startCommerceLayer(options: EmulatorOptions = {}): Promise<CommerceLayer> {
  const emulator = await createEmulator({ organization: 'shop', retryDelayMs: () => 1, ...options })
  onTestFinished(() => emulator.close())
  return { emulator, api: connect(emulator) }
}

/** Makes a client of an emulator's API, through the URL of a proxy if there is one. */
export function connect(emulator: Emulator, url = emulator.url): Management {
  const { organization, clientId, clientSecret } = emulator
  return createManagement({ organization, clientId, clientSecret, url, retries: 0 })
}

export interface Endpoint {
  readonly url: string
  /** Makes the endpoint answer with that status from now on. */
  answer(status: number): void
  /** Makes a receiver answer from now on. */
  serve(receiver: Receiver): void
}

/** Starts an endpoint before there is a receiver, which may need its URL. Until then it answers 200. */
export async function startEndpoint(): Promise<Endpoint> {
  let listener: RequestListener = (_, response) => response.end()
  const { url, close } = await listen((request, response) => listener(request, response), '/webhooks')
  onTestFinished(close)
  return {
    url,
    answer(status) {
      listener = (_, response) => response.writeHead(status).end()
    },
    serve(receiver) {
      listener = createNodeListener(receiver)
    },
  }
}

/** Creates a receiver that logs nothing to the console. Its default secret belongs to no webhook. */
export function createQuietReceiver(
  secrets: Parameters<typeof createReceiver>[0]['secrets'] = { 'orders.place': 'not used by these tests' },
): Receiver {
  return createReceiver({ secrets, logger: recordingLogger().logger })
}

/** Reads an iterable to its end. */
export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}
