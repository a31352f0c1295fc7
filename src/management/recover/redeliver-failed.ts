import type { EventCallback } from '@commercelayer/sdk'
import { isSubscribed } from '../../commerce-layer/topic-patterns.ts'
import { type ErrorCode, isWebhookError, type Receiver, type Subscription } from '../../index.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'
import { deliveredEvents } from './delivered-events.ts'
import { createDigest, type EventDigest, payloadEventId } from './event-digest.ts'
import { failedCalls } from './failed-calls.ts'
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
  /** Whether an event that lacks an include is put off, to be triggered again. */
  readonly retrigger?: boolean | undefined
}

/** An event that was put off. */
interface Deferred extends IncompleteEvent {
  readonly digest: EventDigest
  readonly callbackIds: Set<string>
  /** What it came to so far. */
  readonly result: RecoveryResult
}

export interface Redelivered {
  readonly webhookIds: ReadonlySet<string>
  readonly deferred: Iterable<Deferred>
}

/** Runs the handlers for the events of failed calls, call by call, and enters what became of them into the ledger. */
export async function redeliverFailed(
  api: Api,
  receiver: RedeliveringReceiver,
  search: Search,
  ledger: RecoveryProgress,
): Promise<Redelivered> {
  const { since, webhookId, topic, signal, dryRun, retrigger } = search
  const query = { since, webhookId, topic, signal }
  const subscriptions = receiver.subscriptions()
  const webhookIds = new Set<string>()
  const deferred = new Map<EventDigest, Deferred>()
  let delivered: ReadonlySet<EventDigest> | undefined
  for await (const call of failedCalls(api, { ...query, asOf: ledger.asOf, until: search.until })) {
    signal?.throwIfAborted()
    ledger.open(call)
    const event = await toFailedEvent(call, subscriptions, search.callbackUrl)
    if (!event) {
      ledger.skip()
      continue
    }
    const { digest, callbackUrl, about } = event
    webhookIds.add(event.webhookId)
    deferred.get(digest)?.callbackIds.add(call.id)
    if (!ledger.isDue(digest)) {
      ledger.pass()
      continue
    }
    delivered ??= await deliveredEvents(api, query)
    const end = await redeliverEvent(event, call.payload, receiver, delivered, dryRun)
    // Before anybody is told: what was run is not run again, whatever they throw.
    ledger.pass()
    const result = { ...about, ...end }
    if (retrigger && end.error?.startsWith(INCLUDE_MISSING)) {
      ledger.defer(digest)
      const callbackIds = new Set([call.id])
      deferred.set(digest, { digest, result, topic: about.topic, callbackUrl, calledAt: call.created_at, callbackIds })
    } else ledger.settle(digest, result)
  }
  return { webhookIds, deferred: deferred.values() }
}

/** What a failed call was about. */
interface FailedEvent {
  readonly digest: EventDigest
  readonly webhookId: string
  readonly callbackUrl: string
  readonly about: Omit<RecoveryResult, 'result' | 'error'>
}

/** `undefined` if the call is of no concern, or if the API does not know what was sent. */
async function toFailedEvent(
  { id: callbackId, webhook, payload }: EventCallback,
  subscriptions: readonly Subscription[],
  wantedUrl: string | undefined,
): Promise<FailedEvent | undefined> {
  if (!webhook || !isSubscribed(subscriptions, webhook.topic)) return undefined
  const { id: webhookId, topic, callback_url: callbackUrl } = webhook
  if (wantedUrl !== undefined && wantedUrl !== callbackUrl) return undefined
  const eventId = await payloadEventId(topic, payload)
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
