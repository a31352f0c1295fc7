import type { Webhook } from '@commercelayer/sdk'
import { FAILURES_TO_OPEN, UNDER_WAY_MS } from '../../commerce-layer/limits.ts'
import { checkSchema } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Client } from '../client/client.ts'
import { requestOptions } from './arguments.ts'
import { OUTCOME_FILTERS } from './event-callbacks.ts'
import type { Webhooks } from './webhooks.ts'

/** The state of a webhook. */
export interface WebhookHealth {
  readonly id: string
  readonly topic: string
  readonly callbackUrl: string
  /** `open`: it has failed too often, and is not called until the circuit is reset. */
  readonly circuit: 'closed' | 'open'
  /** Consecutive failures, retries included: how often it has failed since it last succeeded. */
  readonly failures: number
  /** How many more failures open the circuit. */
  readonly failuresLeft: number
  readonly disabled: boolean
  /** The calls of the last hour. A call that is still under way does not count. */
  readonly failedLastHour: {
    /** The share of the calls that failed, from 0 to 1; 0 if there were no calls. */
    readonly share: number
    /** The number of calls. */
    readonly calls: number
  }
}

/** Implements `management.health`. */
export async function checkHealth(
  client: Client,
  webhooks: Webhooks,
  options: RequestOptions = {},
): Promise<WebhookHealth[]> {
  const { signal } = checkSchema('health', requestOptions, options)
  const list: WebhookHealth[] = []
  for await (const webhook of webhooks.list({ signal })) {
    list.push({ ...readState(webhook), failedLastHour: await countLastHour(webhook.id, client, signal) })
  }
  return list
}

function readState(webhook: Webhook): Omit<WebhookHealth, 'failedLastHour'> {
  const failures = webhook.circuit_failure_count ?? 0
  const isOpen = webhook.circuit_state === 'open'
  return {
    id: webhook.id,
    topic: webhook.topic,
    callbackUrl: webhook.callback_url,
    circuit: isOpen ? 'open' : 'closed',
    failures,
    failuresLeft: isOpen ? 0 : Math.max(0, FAILURES_TO_OPEN - failures),
    disabled: typeof webhook.disabled_at === 'string',
  }
}

async function countLastHour(
  id: string,
  client: Client,
  signal: AbortSignal | undefined,
): Promise<WebhookHealth['failedLastHour']> {
  const now = Date.now()
  const count = (filters: Record<string, string | boolean>) =>
    client.call((call) => client.eventCallbacks.count({ webhook_id_eq: id, ...filters }, call), { signal })
  const lastHour = { created_at_gteq: before(now, 3_600_000) }
  const made = await count(lastHour)
  const succeeded = made > 0 ? await count({ ...lastHour, ...OUTCOME_FILTERS.succeeded }) : 0
  // The others have failed, except those that are still under way.
  const underWay = made > succeeded ? await count(underWayFilter(now)) : 0
  const calls = made - underWay
  return { share: calls > 0 ? Math.max(0, calls - succeeded) / calls : 0, calls }
}

function underWayFilter(now: number): Record<string, string | boolean> {
  return {
    created_at_gteq: before(now, UNDER_WAY_MS),
    ...OUTCOME_FILTERS.pending,
    response_message_null: true,
  }
}

function before(now: number, ms: number): string {
  return new Date(now - ms).toISOString()
}
