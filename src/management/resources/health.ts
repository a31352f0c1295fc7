import type { Webhook } from '@commercelayer/sdk'
import { FAILURES_TO_OPEN, UNDER_WAY_MS } from '../../commerce-layer/limits.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Client } from '../client/client.ts'
import { checkArguments, requestOptions } from './arguments.ts'
import { paginate } from './paginate.ts'

/** How a webhook is doing. */
export interface WebhookHealth {
  readonly id: string
  readonly topic: string
  readonly callbackUrl: string
  /** `open`: it has failed too often and is not called until the circuit is reset. */
  readonly circuit: 'closed' | 'open'
  /** How often it has failed since it last succeeded, retries included. */
  readonly failures: number
  /** How many failures more would open the circuit. */
  readonly failuresLeft: number
  readonly disabled: boolean
  /** Of the calls made within the last hour. One that is under way does not count. */
  readonly failedLastHour: {
    /** How many of them failed, as a share from 0 to 1; 0 if there were none. */
    readonly share: number
    /** How many there were. */
    readonly calls: number
  }
}

/** The health of all webhooks, the oldest first. Calls are counted by the API, two or three requests a webhook, not listed. */
export async function health(client: Client, options: RequestOptions = {}): Promise<WebhookHealth[]> {
  const { signal } = checkArguments('health', requestOptions, options)
  const list: WebhookHealth[] = []
  const webhooks = paginate((page) => client.call((call) => client.webhooks.list(page, call), { signal }), {})
  for await (const webhook of webhooks) {
    list.push({ ...toState(webhook), failedLastHour: await readLastHour(webhook.id, client, signal) })
  }
  return list
}

function toState(webhook: Webhook): Omit<WebhookHealth, 'failedLastHour'> {
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

async function readLastHour(
  id: string,
  client: Client,
  signal: AbortSignal | undefined,
): Promise<WebhookHealth['failedLastHour']> {
  const now = Date.now()
  const count = (which: Record<string, string | boolean>) =>
    client.call((call) => client.eventCallbacks.count({ webhook_id_eq: id, ...which }, call), { signal })
  const lastHour = { created_at_gteq: before(now, 3_600_000) }
  const made = await count(lastHour)
  const succeeded = made > 0 ? await count({ ...lastHour, response_code_start: '2' }) : 0
  // What is left has failed, except for what has just been sent.
  const underWay = made > succeeded ? await count(underWayFilter(now)) : 0
  const calls = made - underWay
  return { share: calls > 0 ? Math.max(0, calls - succeeded) / calls : 0, calls }
}

function underWayFilter(now: number): Record<string, string | boolean> {
  return {
    created_at_gteq: before(now, UNDER_WAY_MS),
    response_code_null: true,
    response_message_null: true,
  }
}

function before(now: number, ms: number): string {
  return new Date(now - ms).toISOString()
}
