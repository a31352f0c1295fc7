import {
  createReceiver,
  isWebhookError,
  PermanentError,
  type Receiver,
  type ReceiverOptions,
  type WebhookEvent,
} from 'hooklayer'
import type { WebhookResponse } from 'hooklayer/drivers'
import { SECRETS } from './secrets.ts'

/** What a receiver of the suite is made of. It travels in a header, as JSON. */
export interface Play {
  /** Default: `orders.place`. */
  readonly on?: 'orders.place' | '*' | 'nothing'
  /** Default: `succeeds`. */
  readonly handler?: HandlerName
  readonly limits?: Omit<ReceiverOptions, 'secrets' | 'logger'>
  readonly secrets?: 'unavailable'
  /** In the background, where the adapter can. */
  readonly background?: true
  /** What is answered has more bytes than characters, and no receiver made it. */
  readonly answer?: 'not ASCII'
}

/** What the handler and `onError` of a scene saw. */
export interface Seen {
  readonly events: readonly SeenEvent[]
  /** How many handlers have ended. */
  readonly ended: number
  readonly errors: readonly string[]
}

interface SeenEvent {
  readonly topic: string
  readonly id: string
  readonly mode: unknown
  readonly amount: unknown
  readonly email: unknown
  readonly name: unknown
  readonly bytes: number
  readonly sha256: string
}

interface Scene {
  readonly play: Play
  readonly receiver: Receiver
  readonly events: WebhookEvent[]
  readonly errors: string[]
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
  'waits to be released': async (scene: Scene) => {
    while (!scene.isReleased) await wait(5)
  },
}

export type HandlerName = keyof typeof HANDLERS

/**
 * The receivers of the suite, in whichever runtime it is: mounted as if it were one receiver. A request says by its headers to
 * which scene it belongs; one with a command opens a scene, tells what it has seen, and so on. So the suite talks to every
 * host in the same way, through nothing but the adapter.
 */
export function createStage(): Pick<Receiver, 'receive'> {
  const scenes = new Map<string, Scene>()
  const commands: Record<string, (id: string, headers: Headers) => unknown> = {
    open: (id, headers) => void scenes.set(id, createScene(JSON.parse(headers.get('x-stage-play') ?? '{}'))),
    seen: (id) => seenBy(sceneOf(id)),
    release: (id) => {
      sceneOf(id).isReleased = true
    },
    close: (id) => void sceneOf(id).receiver.close(),
  }
  function sceneOf(id: string): Scene {
    const scene = scenes.get(id)
    if (!scene) throw new Error(`There is no scene ${id}.`)
    return scene
  }
  return {
    async receive(request, options) {
      const headers = headersOf(request.headers)
      const id = headers.get('x-stage-scene') ?? 'none'
      const command = commands[headers.get('x-stage-command') ?? '']
      if (command) return json((await command(id, headers)) ?? {})
      const { play, receiver } = sceneOf(id)
      return play.answer ? NOT_ASCII : receiver.receive(request, play.background ? options : {})
    },
  }
}

function createScene(play: Play): Scene {
  const { on = 'orders.place', handler = 'succeeds', limits, secrets } = play
  const receiver = createReceiver({
    secrets: secrets ? () => Promise.reject(new Error('down')) : SECRETS,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    ...limits,
  })
  const scene: Scene = { play, receiver, events: [], errors: [], ended: 0, isReleased: false }
  receiver.onError((error) => scene.errors.push(isWebhookError(error) ? error.code : 'permanent'))
  if (on === 'nothing') return scene
  receiver.on(on, (event) => {
    scene.events.push(event)
    const result = HANDLERS[handler](scene)
    if (!(result instanceof Promise)) {
      scene.ended += 1
      return undefined
    }
    return result.then(() => {
      scene.ended += 1
    })
  })
  return scene
}

async function seenBy({ events, ended, errors }: Scene): Promise<Seen> {
  return { events: await Promise.all(events.map(seenOf)), ended, errors }
}

async function seenOf({ topic, resource, mode, rawBody }: WebhookEvent): Promise<SeenEvent> {
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
    sha256: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}

interface Customer {
  readonly email?: unknown
  readonly metadata?: { readonly name?: unknown }
}

/** Every adapter has a shape of its own for them. */
function headersOf(given: object): Headers {
  if (given instanceof Headers || 'append' in given) return given as Headers
  const headers = new Headers()
  for (const [name, value] of Object.entries(given)) {
    if (name.toLowerCase().startsWith('x-stage-')) headers.set(name, String(value))
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
