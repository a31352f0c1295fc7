import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createManagement } from 'hooklayer/management'

/** A Commerce Layer with a webhook for each topic, all at one endpoint. */
export interface Sender extends Pick<Emulator, 'trigger' | 'settled' | 'webhooks' | 'close'> {
  /** As a receiver takes them. */
  readonly secrets: Readonly<Record<string, string>>
  /** The status of each call that was made, `undefined` where there was no answer; the oldest may be forgotten. */
  answers(): (number | undefined)[]
  /** Each call that was made; the oldest may be forgotten. */
  calls(): Call[]
  /** Resets the webhooks before their circuits open, again and again until it is closed: for a test that kills its shop for good. */
  keepCircuitsClosed(): void
  /**
   * Sends event `number`: an order of that number in its `metadata`, which is how its effects are told apart. Resolves with how the
   * first call was answered.
   */
  send(number: number, changes?: SentOrder): Promise<number | undefined>
}

/** One call to an endpoint. Times are in milliseconds since 1970. */
export interface Call {
  /** Of the event. */
  readonly number: number
  /** `undefined` where there was no answer. */
  readonly status: number | undefined
  readonly began: number
  readonly ended: number
}

/** What is particular about a resource that is sent. */
export interface SentOrder {
  /** By default `orders.place`; a customer is a sixth of an order. */
  readonly topic?: (typeof TOPICS)[number]
  readonly id?: string
  readonly updatedAt?: string
  /** `poison` makes every attempt to handle it fail. */
  readonly reference?: string
}

const TOPICS = ['orders.place', 'orders.approve', 'customers.create'] as const

/** What was sent, as far as it is read here. */
interface SentDocument {
  readonly data: { readonly attributes: { readonly metadata: { readonly number: number } } }
}

/** So many failures in a row: a third of those that open a circuit. */
const ENDANGERED = 10

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
  for (const topic of TOPICS) {
    await api.webhooks.create({ topic, callbackUrl: `http://127.0.0.1:${port}/webhooks` })
  }
  let keeping: NodeJS.Timeout | undefined
  async function resetCircuits(): Promise<void> {
    const endangered = emulator.webhooks.filter((webhook) => webhook.circuit_failure_count > ENDANGERED)
    await Promise.all(endangered.map(({ id }) => api.webhooks.resetCircuit(id)))
  }
  return {
    trigger: emulator.trigger,
    settled: emulator.settled,
    async close() {
      clearInterval(keeping)
      await emulator.close()
    },
    get webhooks() {
      return emulator.webhooks
    },
    secrets: Object.fromEntries(emulator.webhooks.map(({ topic, shared_secret }) => [topic, shared_secret])),
    answers: () => emulator.eventCallbacks.map(({ response_code }) => parseStatus(response_code)),
    calls: () =>
      emulator.eventCallbacks.map(({ payload, response_code, created_at, updated_at }) => ({
        number: (payload as unknown as SentDocument).data.attributes.metadata.number,
        status: parseStatus(response_code),
        began: Date.parse(created_at),
        ended: Date.parse(updated_at),
      })),
    keepCircuitsClosed() {
      keeping = setInterval(() => void resetCircuits().catch(() => {}), 25)
    },
    async send(number, { topic = 'orders.place', id = `order${number}`, updatedAt, reference } = {}) {
      const [call] = await emulator.trigger(topic, {
        id,
        metadata: { number },
        ...(updatedAt && { updated_at: updatedAt }),
        ...(reference && { reference }),
      })
      return parseStatus(call?.response_code)
    },
  }
}

function parseStatus(code: string | null | undefined): number | undefined {
  return code ? Number(code) : undefined
}
