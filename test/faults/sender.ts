import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createManagement } from 'hooklayer/management'

/** A Commerce Layer with a webhook for each topic, all at one endpoint. */
export interface Sender extends Pick<Emulator, 'trigger' | 'settled' | 'webhooks' | 'close'> {
  /** As a receiver takes them. */
  readonly secrets: Readonly<Record<string, string>>
  /** The status of each call that was made, `undefined` where there was no answer; the oldest may be forgotten. */
  answers(): (number | undefined)[]
  /** Sends event `number`: an order of that number in its `metadata`, which is how its effects are told apart. */
  send(number: number, changes?: SentOrder): Promise<void>
}

/** What is particular about an order that is sent. */
export interface SentOrder {
  readonly topic?: 'orders.place' | 'orders.approve'
  readonly id?: string
  readonly updatedAt?: string
  /** `poison` makes every attempt to handle it fail. */
  readonly reference?: string
}

/** By default it comes again soon, and a hundred times: the outages of a test are short, and there are many of them. */
export async function openSender(port: number, options: EmulatorOptions = {}): Promise<Sender> {
  const emulator = await createEmulator({
    retries: 100,
    retryDelayMs: (attempt) => Math.min(20 * attempt, 200),
    maxEventCallbacks: 100_000,
    ...options,
  })
  const { organization, clientId, clientSecret, url } = emulator
  const api = createManagement({ organization, clientId, clientSecret, url })
  for (const topic of ['orders.place', 'orders.approve']) {
    await api.webhooks.create({ topic, callbackUrl: `http://127.0.0.1:${port}/webhooks` })
  }
  return {
    trigger: emulator.trigger,
    settled: emulator.settled,
    close: emulator.close,
    get webhooks() {
      return emulator.webhooks
    },
    secrets: Object.fromEntries(emulator.webhooks.map(({ topic, shared_secret }) => [topic, shared_secret])),
    answers: () => emulator.eventCallbacks.map(({ response_code }) => numberOf(response_code)),
    async send(number, { topic = 'orders.place', id = `order${number}`, updatedAt, reference } = {}) {
      await emulator.trigger(topic, {
        id,
        metadata: { number },
        ...(updatedAt && { updated_at: updatedAt }),
        ...(reference && { reference }),
      })
    },
  }
}

function numberOf(code: string | null | undefined): number | undefined {
  return code ? Number(code) : undefined
}
