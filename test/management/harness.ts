import type { RequestListener } from 'node:http'
import { createReceiver, type Receiver } from 'hooklayer'
import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createManagement, type Management } from 'hooklayer/management'
import { createNodeListener } from 'hooklayer/node'
import { onTestFinished } from 'vitest'
import { listen } from '../contracts/adapter/listen.ts'
import { recordingLogger } from '../deliveries.ts'

export interface Stage {
  readonly emulator: Emulator
  readonly api: Management
}

/** A Commerce Layer and its API, quick to retry; it ends with the test. */
export async function stage(options: EmulatorOptions = {}): Promise<Stage> {
  const emulator = await createEmulator({ organization: 'shop', retryDelayMs: () => 1, ...options })
  onTestFinished(() => emulator.close())
  const { organization, clientId, clientSecret, url } = emulator
  return { emulator, api: createManagement({ organization, clientId, clientSecret, url, retries: 0 }) }
}

export interface Endpoint {
  readonly url: string
  /** Answers there with that status from now on. */
  answer(status: number): void
  /** Has a receiver answer there from now on. */
  serve(receiver: Receiver): void
}

/** An address, which it takes to make the receiver that answers there. Until then, and if there is none, the answer is 200. */
export async function endpoint(): Promise<Endpoint> {
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

/** A receiver that keeps what it logs to itself; with a secret that nobody has, unless there is a better one. */
export function receiver(
  secrets: Parameters<typeof createReceiver>[0]['secrets'] = { 'orders.place': 'none' },
): Receiver {
  return createReceiver({ secrets, logger: recordingLogger().logger })
}

export async function listed<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of iterable) all.push(one)
  return all
}
