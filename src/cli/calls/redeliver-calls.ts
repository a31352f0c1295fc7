import type { EventCallback } from '@commercelayer/sdk'
import { eventIdOf, isWebhookError, type Receiver } from 'hooklayer'
import type { Management } from 'hooklayer/management'
import { asUsage, CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { readSecrets, type SecretFlags } from '../configuration/secrets.ts'
import type { ExitName } from '../exit-codes.ts'
import { forward } from '../receiver/forward.ts'
import { escapeText, isSuccess, paint } from '../terminal/output.ts'
import { type CallFilterFlags, readCallFilters } from './call-filters.ts'

/** An event that is handled again. Several calls may have been made for it. */
interface Event {
  readonly callbackId: string
  readonly topic: string
  readonly resource: string
  readonly payload: unknown
}

/** Handles an event. Resolves with the outcome, and with whether that is a success. */
export type HandleEvent = (event: Event) => Promise<{ readonly outcome: string; readonly isHandled: boolean }>

interface FoundEvents {
  readonly events: readonly Event[]
  /** How many calls were left out, with a warning each. */
  readonly leftOut: number
}

/** Finds the calls of the ids, or those that match the flags: each event once, the oldest call first. */
export async function findEvents(
  api: Management,
  ids: readonly string[],
  flags: CallFilterFlags,
  { output, signal }: CommandContext,
): Promise<FoundEvents> {
  const { topic: _, ...filters } = readCallFilters(flags)
  const isFiltered = [...Object.values(filters), ids.length > 0 ? undefined : flags.topic].some(Boolean)
  if (ids.length > 0 === isFiltered) {
    throw new CliError('USAGE', 'Give ids of event callbacks, or filters such as --since 2h --failed.')
  }
  const calls = ids.length > 0 ? readCalls(api, ids, signal) : await listCalls(api, flags, signal)
  const isOfTopic = createTopicCheck(api, signal)
  const events = new Map<string, Event>()
  const progress = output.progress('Read')
  let [read, leftOut] = [0, 0]
  try {
    for await (const call of calls) {
      progress.update(++read)
      const event = await readEvent(call, flags.topic, isOfTopic)
      if (typeof event === 'string') {
        leftOut += 1
        output.warn(escapeText(`${call.id} was left out: ${event}`))
      } else {
        const id = await eventIdOf(event.topic, event.payload)
        if (!events.has(id)) events.set(id, event)
      }
    }
  } finally {
    progress.end()
  }
  return { events: [...events.values()], leftOut }
}

async function* readCalls(
  api: Management,
  ids: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<EventCallback, void> {
  for (const id of ids) yield await asUsage(() => api.eventCallbacks.retrieve(id, { signal }))
}

function listCalls(api: Management, flags: CallFilterFlags, signal: AbortSignal) {
  return asUsage(() => api.eventCallbacks.list({ ...readCallFilters(flags), signal }))
}

/** The event of a call, or why it cannot be told. A call does not say which topic its event had. */
async function readEvent(
  call: EventCallback,
  topic: string | undefined,
  isOfTopic: (call: EventCallback, topic: string) => Promise<boolean>,
): Promise<Event | string> {
  const { id: callbackId, webhook, payload, created_at } = call
  if (!payload?.data) return 'the API has no payload of it.'
  const event = { callbackId, resource: `${payload.data.type}/${payload.data.id}`, payload }
  if (topic !== undefined) return { ...event, topic }
  if (!webhook) return 'its webhook was deleted. Name the topic with --topic.'
  if (webhook.updated_at < created_at || (await isOfTopic(call, webhook.topic)))
    return { ...event, topic: webhook.topic }
  return `its webhook was changed since, and may have had another topic than ${webhook.topic}. Name it with --topic.`
}

/** How long before a call its event may have been created: retries come later. */
const BEFORE_CALL_MS = 3_600_000

/** Looks for a call among those of the events of a topic. They are read once, if the oldest call comes first. */
function createTopicCheck(api: Management, signal: AbortSignal) {
  const known = new Map<string, Set<string>>()
  return async ({ id, created_at }: EventCallback, topic: string): Promise<boolean> => {
    const ids = known.get(topic) ?? new Set<string>()
    known.set(topic, ids)
    if (ids.has(id)) return true
    const since = new Date(Date.parse(created_at) - BEFORE_CALL_MS)
    for await (const { last_event_callbacks } of api.events.list({ name: topic, since }, { signal })) {
      for (const one of last_event_callbacks ?? []) ids.add(one.id)
    }
    return ids.has(id)
  }
}

/** Runs the handlers of a receiver. */
export function createRedelivery(receiver: Receiver): HandleEvent {
  return async ({ topic, payload }) => {
    try {
      return { outcome: await receiver.redeliver(topic, payload), isHandled: true }
    } catch (error) {
      if (!isWebhookError(error)) throw error
      return { outcome: error.code, isHandled: false }
    }
  }
}

/** Sends events to a URL, signed with the secret of their topic. */
export function createForwarding(url: URL, secrets: SecretFlags, signal: AbortSignal): HandleEvent {
  return async ({ topic, payload }) => {
    const [secret = ''] = await readSecrets(topic, secrets, signal)
    const options = { url, keepsTrying: false, onUnreachable() {}, signal }
    const { status, answer } = await forward({ topic, document: payload, secret }, options)
    return { outcome: `${status} ${answer}`, isHandled: isSuccess(status) }
  }
}

/** Handles events one after the other, and prints each with its outcome. Ctrl-C ends it between two. */
export async function handleEach(
  events: readonly Event[],
  handle: HandleEvent,
  { output, signal }: CommandContext,
): Promise<ExitName> {
  const progress = output.progress('Redelivered', events.length)
  let [done, failed] = [0, 0]
  try {
    for (const event of events) {
      if (signal.aborted) break
      const { outcome, isHandled } = await handle(event)
      done += 1
      if (!isHandled) failed += 1
      const { callbackId, topic, resource } = event
      const shown = paint(isHandled ? 'green' : 'red', escapeText(outcome))
      output.result({ callbackId, topic, resource, outcome }, `${escapeText(`${topic} ${resource}`)}: ${shown}`)
      progress.update(done)
    }
  } finally {
    progress.end()
  }
  if (events.length === 0) output.info('There is nothing to redeliver.')
  if (events.length > 1) output.info(`${done} redelivered, ${failed} of them failed.`)
  return failed > 0 ? 'FOUND_WRONG' : 'OK'
}
