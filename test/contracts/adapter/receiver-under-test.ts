import {
  createReceiver,
  type ErrorHandler,
  isWebhookError,
  PermanentError,
  type Receiver,
  type ReceiverOptions,
  type WebhookEvent,
} from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { createResponder, type ExternalResourceKind, type ResponderHandler, refuse } from 'hooklayer/responder'
import { SECRETS } from './secrets.ts'

/** The options of one receiver of the suite. They are sent in a header, as JSON. */
export interface Scenario {
  /** Default: `orders.place`. */
  readonly on?: 'orders.place' | '*' | 'nothing'
  /** Default: `succeeds`. */
  readonly handler?: HandlerName
  readonly limits?: Omit<ReceiverOptions, 'secrets' | 'logger'>
  readonly secrets?: 'unavailable'
  /** A responder in the place of the receiver, and what its handler does. */
  readonly responder?: ResponderScenario
  /** Handlers run after the answer, where the adapter supports it. */
  readonly background?: true
  /** Answers with a body of more bytes than characters, without calling the receiver. */
  readonly answer?: 'not ASCII'
}

interface ResponderScenario {
  readonly kind: ExternalResourceKind
  readonly does: 'answer' | 'refuse' | 'answer wrongly' | 'throw' | 'never end'
  readonly answer?: unknown
  readonly fallback?: unknown
}

/** What the handler and `onError` of a scenario were called with. */
export interface Observed {
  readonly events: readonly ObservedEvent[]
  /** How many handlers have finished. */
  readonly ended: number
  readonly errors: readonly string[]
  readonly hints: readonly string[]
}

interface ObservedEvent {
  readonly topic: string
  readonly id: string
  readonly mode: unknown
  readonly amount: unknown
  readonly email: unknown
  readonly name: unknown
  readonly bytes: number
  /** The length of the buffer that holds the bytes. */
  readonly bufferBytes: number
  readonly sha256: string
}

interface RunningScenario {
  readonly scenario: Scenario
  readonly receiver: Pick<Receiver, 'receive' | 'close'>
  readonly events: WebhookEvent[]
  readonly errors: string[]
  readonly hints: string[]
  ended: number
  isReleased: boolean
}

export const NOT_ASCII: WebhookResponse = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"outcome":"händled 🎉"}',
}

const HANDLERS = {
  succeeds: () => {},
  fails: () => Promise.reject(new Error('It broke')),
  'throws an error with a status of its own': raise(Object.assign(new Error(), { status: 404, expose: true })),
  'throws a text with an emoji': raise('sëcret 💥'),
  'throws nothing': raise(undefined),
  'throws an error with an emoji': raise(new Error('sëcret 💥')),
  'throws a PermanentError': raise(new PermanentError('no such shop')),
  'takes a moment': () => wait(10),
  'never ends': () => new Promise(() => {}),
  'waits to be released': async (running: RunningScenario) => {
    while (!running.isReleased) await wait(5)
  },
}

export type HandlerName = keyof typeof HANDLERS

/**
 * All receivers of the suite behind one `receive`, which is mounted in the host under test. A header of each request
 * names the scenario that it is for. A request with a command starts a scenario, reads what it has observed, and so on.
 * So the suite controls every host in the same way, in any runtime, through nothing but the adapter.
 */
export function createScenarioReceiver(): Pick<Receiver, 'receive'> {
  const scenarios = new Map<string, RunningScenario>()
  const commands: Record<string, (id: string, headers: Headers) => unknown> = {
    open: (id, headers) => void scenarios.set(id, startScenario(JSON.parse(headers.get('x-scenario-options') ?? '{}'))),
    observed: (id) => observe(findScenario(id)),
    release: (id) => {
      findScenario(id).isReleased = true
    },
    close: (id) => void findScenario(id).receiver.close(),
  }
  function findScenario(id: string): RunningScenario {
    const running = scenarios.get(id)
    if (!running) throw new Error(`There is no scenario ${id}.`)
    return running
  }
  return {
    async receive(request, options) {
      const headers = headersOf(request.headers)
      const id = headers.get('x-scenario-id') ?? 'none'
      const command = commands[headers.get('x-scenario-command') ?? '']
      if (command) return json((await command(id, headers)) ?? {})
      const { scenario, receiver } = findScenario(id)
      return scenario.answer ? NOT_ASCII : receiver.receive(request, scenario.background ? options : {})
    },
  }
}

function startScenario(scenario: Scenario): RunningScenario {
  const { on = 'orders.place', handler = 'succeeds', limits, secrets } = scenario
  if (scenario.responder) return startResponder(scenario, scenario.responder)
  const receiver = createReceiver({
    secrets: secrets ? () => Promise.reject(new Error('down')) : SECRETS,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    ...limits,
  })
  const running: RunningScenario = {
    scenario,
    receiver,
    events: [],
    errors: [],
    hints: [],
    ended: 0,
    isReleased: false,
  }
  const note: ErrorHandler = (error) => {
    running.errors.push(isWebhookError(error) ? error.code : 'permanent')
    if (isWebhookError(error) && error.hint) running.hints.push(error.hint)
  }
  receiver.onError(note, { unverified: true })
  if (on === 'nothing') return running
  receiver.on(on, (event) => {
    running.events.push(event)
    const result = HANDLERS[handler](running)
    if (!(result instanceof Promise)) {
      running.ended += 1
      return undefined
    }
    return result.then(() => {
      running.ended += 1
    })
  })
  return running
}

function startResponder(scenario: Scenario, { kind, does, answer, fallback }: ResponderScenario): RunningScenario {
  const actions: Record<ResponderScenario['does'], () => unknown> = {
    answer: () => answer,
    refuse: () => refuse('OUT_OF_STOCK', 'Ausverkäuft 🎈'),
    'answer wrongly': () => ({ ...Object(answer), surprise: true }),
    throw: raise(new Error('sëcret 💥')),
    'never end': () => new Promise(() => {}),
  }
  const responder = createResponder(
    kind,
    {
      secret: SECRETS['orders.place'],
      ...(does === 'never end' && { deadlineMs: 200 }),
      fallback: fallback as never,
      logger: { debug: silent, info: silent, warn: silent, error: silent },
    },
    actions[does] as ResponderHandler<typeof kind>,
  )
  return { scenario, receiver: responder, events: [], errors: [], hints: [], ended: 0, isReleased: false }
}

async function observe({ events, ended, errors, hints }: RunningScenario): Promise<Observed> {
  return { events: await Promise.all(events.map(observeEvent)), ended, errors, hints }
}

async function observeEvent({ topic, resource, mode, rawBody }: WebhookEvent): Promise<ObservedEvent> {
  const fields = resource as { id: string; total_amount_float?: unknown; customer?: Customer }
  const digest = await crypto.subtle.digest('SHA-256', rawBody as Uint8Array<ArrayBuffer>)
  return {
    topic,
    id: fields.id,
    mode,
    amount: fields.total_amount_float,
    email: fields.customer?.email,
    name: fields.customer?.metadata?.name,
    bytes: rawBody.length,
    bufferBytes: rawBody.buffer.byteLength,
    sha256: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}

interface Customer {
  readonly email?: unknown
  readonly metadata?: { readonly name?: unknown }
}

/** Each adapter hands over headers in another form. */
function headersOf(given: object): Headers {
  if (given instanceof Headers || 'append' in given) return given as Headers
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    if (name.toLowerCase().startsWith('x-scenario-')) headers.set(name, String(value))
  }
  return headers
}

function json(value: unknown): WebhookResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

function raise(thrown: unknown): () => never {
  return () => {
    throw thrown
  }
}

function silent(): void {}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
