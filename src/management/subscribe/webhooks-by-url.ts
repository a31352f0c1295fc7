import type { Webhook } from '@commercelayer/sdk'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'

/** The part of the API that knows about subscriptions. */
export type WebhooksApi = Pick<Api, 'webhooks'>

/** Marks the webhooks that `apply` made, as their `reference_origin`: no other is ever deleted. */
export const ORIGIN = 'hooklayer'

export function isOurs(webhook: Webhook): boolean {
  return webhook.reference_origin === ORIGIN
}

/** The webhooks that call exactly this URL. The API does not filter by it, so all of them are read. */
export async function findWebhooks(api: WebhooksApi, callbackUrl: string, options: RequestOptions): Promise<Webhook[]> {
  const found: Webhook[] = []
  for await (const webhook of api.webhooks.list(options)) {
    if (webhook.callback_url === callbackUrl) found.push(webhook)
  }
  return found
}

/** The shared secrets by topic: a webhook has one, and a topic as many as it has webhooks. */
export function groupSecrets(webhooks: Iterable<Webhook>): Map<string, string[]> {
  const secrets = new Map<string, string[]>()
  for (const { topic, shared_secret } of webhooks) secrets.set(topic, [...(secrets.get(topic) ?? []), shared_secret])
  return secrets
}
