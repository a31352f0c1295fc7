import type { Webhook } from '@commercelayer/sdk'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'

/** The part of the API that knows about subscriptions. */
export type WebhooksApi = Pick<Api, 'webhooks'>

/** The `reference_origin` of the webhooks that `apply` created. No others are ever deleted. */
export const ORIGIN = 'hooklayer'

/** Whether hooklayer created a webhook. */
export function isOurs(webhook: Webhook): boolean {
  return webhook.reference_origin === ORIGIN
}

export interface FoundWebhooks {
  /** The webhooks that call exactly the URL. */
  readonly webhooks: Webhook[]
  /** The names of all webhooks of the organization: a name is unique there. */
  readonly names: ReadonlySet<unknown>
}

/** Reads the webhooks that call a URL. The API cannot filter by it, so all webhooks are read. */
export async function findWebhooks(
  api: WebhooksApi,
  callbackUrl: string,
  options: RequestOptions,
): Promise<FoundWebhooks> {
  const webhooks: Webhook[] = []
  const names = new Set<unknown>()
  for await (const webhook of api.webhooks.list(options)) {
    names.add(webhook.name)
    if (webhook.callback_url === callbackUrl) webhooks.push(webhook)
  }
  return { webhooks, names }
}

/** Groups the shared secrets by topic. A topic has as many secrets as it has webhooks. */
export function groupSecrets(webhooks: Iterable<Webhook>): Map<string, string[]> {
  const secrets = new Map<string, string[]>()
  for (const { topic, shared_secret } of webhooks) secrets.set(topic, [...(secrets.get(topic) ?? []), shared_secret])
  return secrets
}
