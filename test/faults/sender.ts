import { createEmulator, type Emulator, type EmulatorOptions } from 'hooklayer/emulator'
import { createManagement } from 'hooklayer/management'
import { sampleOf } from 'hooklayer/testing'

/** An emulated Commerce Layer with a webhook for each topic, all with one callback URL. */
export interface Sender extends Pick<Emulator, 'trigger' | 'settled' | 'webhooks' | 'close'> {
  /** For the option `secrets` of a receiver. */
  readonly secrets: Readonly<Record<string, string>>
  /** The status of each call, `undefined` without an answer. The oldest calls may be missing. */
  answers(): (number | undefined)[]
  /** All calls. The oldest calls may be missing. */
  calls(): Call[]
  /** Resets the circuits before they open, until the sender is closed. */
  keepCircuitsClosed(): void
  /**
   * Sends event `number`, which is in the `metadata` of the resource. Resolves with the status of the
   * first call.
   */
  send(number: number, changes?: SentOrder): Promise<number | undefined>
}

/** One call of a webhook. Times are in milliseconds since 1970. */
export interface Call {
  /** Of the event. */
  readonly number: number
  /** `undefined` without an answer. */
  readonly status: number | undefined
  readonly began: number
  readonly ended: number
}

/** Attributes of a resource that is sent. */
export interface SentOrder {
  /** Default: `orders.place`. A customer is a sixth of the size of an order. */
  readonly topic?: (typeof TOPICS)[number]
  readonly id?: string
  readonly updatedAt?: string
  /** `poison` makes every attempt fail. */
  readonly reference?: string
}

const TOPICS = ['orders.place', 'orders.approve', 'customers.create'] as const

/** The part of a sent document that is read here. */
interface SentDocument {
  readonly data: { readonly attributes: { readonly metadata: { readonly number: number } } }
}

/** A third of the failures in a row that open a circuit. */
const ENDANGERED = 10

/** Retries soon and a hundred times by default, because the outages of a test are short and many. */
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
      // A whole resource: a number that is sent twice is one event.
      const [call] = await emulator.trigger<string>(topic, {
        ...sampleOf<string>(topic.slice(0, topic.indexOf('.'))),
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
