import type { EventCallback } from '@commercelayer/sdk'
import { type ErrorCode, isWebhookError, type Receiver } from '../../index.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'
import { findDeliveredEvents } from './delivered-events.ts'
import { createDigest, type EventDigest, readEventId } from './event-digest.ts'
import { createTopicFinder, type FindTopic, findWebhooksOfTopic } from './event-topics.ts'
import { listFailedCalls } from './failed-calls.ts'
import type { RecoveryProgress } from './progress.ts'
import type { RecoveryResult } from './recovery.ts'
import type { IncompleteEvent } from './retrigger.ts'

export type RedeliveringReceiver = Pick<Receiver, 'redeliver' | 'subscriptions'>

export interface Search extends RequestOptions {
  /** ISO 8601. */
  readonly since: string
  readonly until?: string | undefined
  readonly callbackUrl?: string | undefined
  readonly webhookId?: string | undefined
  readonly topic?: string | undefined
  readonly dryRun?: boolean | undefined
  /** Whether an event whose payload lacks an include is deferred, to be triggered again. */
  readonly retrigger?: boolean | undefined
}

/** An event that is to be triggered again. */
interface DeferredEvent extends IncompleteEvent {
  readonly digest: EventDigest
  readonly callbackIds: Set<string>
  /** The failed result of its redelivery. */
  readonly result: RecoveryResult
}

export interface Redelivered {
  /** The webhooks whose calls were looked at. */
  readonly webhookIds: ReadonlySet<string>
  readonly deferred: Iterable<DeferredEvent>
}

/** Runs the handlers for the events of failed calls, call by call, and records the results in `progress`. */
export async function redeliverFailed(
  api: Api,
  receiver: RedeliveringReceiver,
  search: Search,
  progress: RecoveryProgress,
): Promise<Redelivered> {
  const { since, webhookId, topic, signal, dryRun, retrigger } = search
  const subscriptions = receiver.subscriptions()
  const findTopic = createTopicFinder(api, subscriptions, search)
  const webhooks = webhookId ?? (topic === undefined ? undefined : await findWebhooksOfTopic(api, topic, search))
  const query = { since, webhookId: webhooks, signal }
  const webhookIds = new Set<string>()
  const deferred = new Map<EventDigest, DeferredEvent>()
  if (webhooks?.length === 0) return { webhookIds, deferred: deferred.values() }
  let delivered: ReadonlySet<EventDigest> | undefined
  for await (const call of listFailedCalls(api, { ...query, asOf: progress.asOf, until: search.until })) {
    signal?.throwIfAborted()
    progress.startCall(call)
    const event = await readFailedEvent(call, findTopic, search.callbackUrl)
    if (!event) {
      // Other topics were listed only because their webhooks may have had the one that is wanted.
      if (topic === undefined || topic === call.webhook?.topic) progress.skipCall()
      else progress.finishCall()
      continue
    }
    const { digest } = event
    webhookIds.add(event.webhookId)
    deferred.get(digest)?.callbackIds.add(call.id)
    if (!progress.isDue(digest)) {
      progress.finishCall()
      continue
    }
    delivered ??= await findDeliveredEvents(api, query, findTopic)
    const result = { ...event.about, ...(await redeliverEvent(event, call.payload, receiver, delivered, dryRun)) }
    // Before `onResult` is called: if that throws, the event is not run again.
    progress.finishCall()
    if (retrigger && result.error?.startsWith(INCLUDE_MISSING)) {
      progress.defer(digest)
      deferred.set(digest, deferEvent(event, call, result))
    } else progress.settle(digest, result)
  }
  return { webhookIds, deferred: deferred.values() }
}

/** The event of a failed call. */
interface FailedEvent {
  readonly digest: EventDigest
  readonly webhookId: string
  readonly callbackUrl: string
  readonly about: Omit<RecoveryResult, 'result' | 'error'>
}

/** Reads the event of a call; `undefined` if the call is to be left alone, or if the API has no payload of it. */
async function readFailedEvent(
  call: EventCallback,
  findTopic: FindTopic,
  wantedUrl: string | undefined,
): Promise<FailedEvent | undefined> {
  const { id: callbackId, webhook, payload } = call
  if (!webhook || (wantedUrl ?? webhook.callback_url) !== webhook.callback_url) return undefined
  const { id: webhookId, callback_url: callbackUrl } = webhook
  const topic = await findTopic(call)
  if (topic === undefined) return undefined
  const eventId = await readEventId(topic, payload)
  if (eventId === undefined) return undefined
  const resource = `${payload?.data.type}/${payload?.data.id}`
  return {
    digest: createDigest(eventId, callbackUrl),
    webhookId,
    callbackUrl,
    about: { callbackId, topic, eventId, resource },
  }
}

const INCLUDE_MISSING = 'INCLUDE_MISSING' satisfies ErrorCode

function deferEvent(event: FailedEvent, call: EventCallback, result: RecoveryResult): DeferredEvent {
  const { digest, callbackUrl, about } = event
  const callbackIds = new Set([call.id])
  return { digest, result, topic: about.topic, callbackUrl, calledAt: call.created_at, callbackIds }
}

async function redeliverEvent(
  { digest, about }: FailedEvent,
  payload: unknown,
  receiver: RedeliveringReceiver,
  delivered: ReadonlySet<EventDigest>,
  dryRun: boolean | undefined,
): Promise<Pick<RecoveryResult, 'result' | 'error'>> {
  if (delivered.has(digest)) return { result: 'already-delivered' }
  if (dryRun) return { result: 'would-recover' }
  try {
    const outcome = await receiver.redeliver(about.topic, payload)
    return { result: outcome === 'duplicate' ? 'already-delivered' : 'recovered' }
  } catch (error) {
    if (!isWebhookError(error)) throw error
    return { result: 'failed', error: `${error.code}: ${error.message}` }
  }
}
