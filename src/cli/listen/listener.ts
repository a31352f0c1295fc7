import { setTimeout as pause } from 'node:timers/promises'
import type { EventCallback, Webhook } from '@commercelayer/sdk'
import { eventIdOf, isWebhookError } from 'hooklayer'
import { isManagementError, type Management } from 'hooklayer/management'
import type { ListenState } from './listen-state.ts'

/** An event callback whose event was not forwarded yet. */
export interface IncomingEvent {
  readonly call: EventCallback
  readonly webhook: Webhook
  readonly topic: string
  readonly eventId: string
}

export interface ListenerOptions {
  readonly management: Management
  readonly state: ListenState
  readonly isWanted: (topic: string) => boolean
  /** Ends when all calls are read. */
  readonly once: boolean
  /** Called for one event after the other. An event whose call rejects comes again in the next run. */
  readonly onEvent: (event: IncomingEvent) => Promise<void>
  /** Called at the start and once a minute, with the webhooks of the wanted topics. */
  readonly onWebhooks: (webhooks: readonly Webhook[]) => Promise<void>
  /** Called when the API cannot be asked for the moment. */
  readonly onProblem: (problem: string) => void
  readonly signal: AbortSignal
}

const POLL_MS = 2000
const WEBHOOKS_POLL_MS = 60_000
const PROBLEM_MS = 10_000

/**
 * The API allows 25 requests of a kind in ten seconds, and 100 in a minute. A process does not know what the one before
 * it has asked, so a pause stands between any two pages. A page of 25 begins with the last call of the page before.
 */
const PAGE_MS = 700
const CALLS_A_PAGE = 24

/** An assumption: a call shows up in the list within this time. So what is younger is read again. */
const SETTLED_MS = 5000

const TEMPORARY = ['UNREACHABLE', 'CONNECTION_LOST', 'TIMEOUT', 'RATE_LIMITED']

/** Reads the event callbacks of an organization, and gives each event once. It ends with `once`, or by the signal. */
export async function listenForEvents(options: ListenerOptions): Promise<void> {
  const { once, onProblem, signal } = options
  let webhooks = await findWebhooks(options)
  let webhooksAt = performance.now()
  await readCalls(options, webhooks)
  while (!once) {
    await pause(POLL_MS, undefined, { signal })
    try {
      if (performance.now() - webhooksAt > WEBHOOKS_POLL_MS) {
        webhooks = await findWebhooks(options)
        webhooksAt = performance.now()
      }
      await readCalls(options, webhooks)
    } catch (error) {
      if (!isManagementError(error) || !TEMPORARY.includes(error.code)) throw error
      onProblem(error.message)
      await pause(PROBLEM_MS, undefined, { signal })
    }
  }
}

/** Sets where to begin: at a time, or after what was read before, or else with what comes from now on. */
export async function chooseStart(
  management: Management,
  state: ListenState,
  since: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { from, last } = state
  if (since === undefined) {
    if (from === undefined) await state.restart(await findNow(management, signal))
    return
  }
  const isRead = from !== undefined && from <= since && since <= (last?.created_at ?? from)
  if (!isRead) await state.restart(since)
}

/** By the clock of the API: just after the newest call. */
async function findNow({ eventCallbacks }: Management, signal: AbortSignal): Promise<string> {
  for await (const { created_at } of eventCallbacks.list({ sort: '-created_at', pageSize: 1, signal })) {
    return new Date(Date.parse(created_at) + 1).toISOString()
  }
  return new Date(0).toISOString()
}

async function findWebhooks({ management, isWanted, onWebhooks, signal }: ListenerOptions): Promise<Webhook[]> {
  const webhooks: Webhook[] = []
  for await (const webhook of management.webhooks.list({ signal })) if (isWanted(webhook.topic)) webhooks.push(webhook)
  await onWebhooks(webhooks)
  return webhooks
}

async function readCalls(options: ListenerOptions, webhooks: readonly Webhook[]): Promise<void> {
  const { management, state, signal } = options
  const [first, ...others] = webhooks.map(({ id }) => id)
  if (first === undefined) return
  let [calls, pageAt] = [0, performance.now()]
  const query = { ...readRange(state), webhookId: [first, ...others], signal }
  for await (const call of management.eventCallbacks.list(query)) {
    await readCall(call, options)
    calls += 1
    if (calls % CALLS_A_PAGE !== 0) continue
    await pause(Math.max(0, pageAt + PAGE_MS - performance.now()), undefined, { signal })
    pageAt = performance.now()
  }
}

function readRange({ from, last }: ListenState) {
  if (!last) return { since: from }
  const overlap = new Date(Date.parse(last.created_at) - SETTLED_MS).toISOString()
  if (Date.parse(last.created_at) < Date.now() - SETTLED_MS) return { after: last }
  return { since: from !== undefined && from > overlap ? from : overlap }
}

async function readCall(call: EventCallback, { state, onEvent }: ListenerOptions): Promise<void> {
  const { webhook } = call
  const eventId = webhook && (await readEventId(webhook.topic, call.payload))
  const isDue = eventId !== undefined && eventId !== null && !state.hasForwarded(eventId)
  if (webhook && isDue) await onEvent({ call, webhook, topic: webhook.topic, eventId })
  else if (state.last && call.created_at <= state.last.created_at) return
  await state.record(call, isDue ? eventId : undefined)
}

/** `undefined` if the payload is no document, or is gone. */
async function readEventId(topic: string, payload: unknown): Promise<string | undefined> {
  try {
    return await eventIdOf(topic, payload)
  } catch (error) {
    if (isWebhookError(error)) return undefined
    throw error
  }
}
