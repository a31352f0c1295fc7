import type { Webhook, WebhookCreate, WebhookUpdate } from '@commercelayer/sdk'
import { z } from 'zod'
import { checkSchema, flag, mustBe, text } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { CallOptions, Client } from '../client/client.ts'
import { checkRecordCall, includePath, metadata, requestOptions, topic, url } from './arguments.ts'
import { paginate } from './paginate.ts'

export interface WebhookArguments {
  /** Such as `orders.place`. */
  readonly topic: string
  /** Where deliveries are sent: https, or http on a loopback host. */
  readonly callbackUrl: string
  /** Unique in the organization. Commerce Layer's default is `{organization}-{topic}`. */
  readonly name?: string | undefined
  /** Dotted paths of the relationships that deliveries include. Default: none. */
  readonly includeResources?: readonly string[] | undefined
  readonly reference?: string | undefined
  readonly referenceOrigin?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** Whether it is disabled, so that it is not called. Default `false`. */
  readonly disabled?: boolean | undefined
}

/**
 * The webhooks of the organization. They have the type `Webhook` of the SDK, which holds `shared_secret`: do not log a
 * whole one. Wrong arguments throw a TypeError before a request is sent; a call that fails throws a ManagementError.
 *
 * @example
 * const { id } = await management.webhooks.create({
 *   topic: 'orders.place',
 *   callbackUrl: 'https://shop.example/webhooks',
 *   includeResources: ['customer', 'line_items'],
 * })
 */
export interface Webhooks {
  /**
   * Creates a webhook. Only a unique name would prevent a second one, so the request is not retried where it may have
   * reached Commerce Layer. The error is then `OUTCOME_UNKNOWN`: look for the name in the list before you try again.
   */
  create(args: WebhookArguments, options?: RequestOptions): Promise<Webhook>
  /** Lists all webhooks, the oldest first, and reads them page by page. */
  list(options?: RequestOptions): AsyncIterable<Webhook>
  /** Reads one webhook. */
  retrieve(id: string, options?: RequestOptions): Promise<Webhook>
  /** Changes the members that are given, and nothing else. */
  update(id: string, changes: Partial<WebhookArguments>, options?: RequestOptions): Promise<Webhook>
  /** Deletes a webhook. `RECORD_NOT_FOUND` may mean that an earlier attempt, whose answer was lost, has deleted it. */
  delete(id: string, options?: RequestOptions): Promise<void>
  /** Has Commerce Layer call the webhook. */
  enable(id: string, options?: RequestOptions): Promise<Webhook>
  /** Stops Commerce Layer from calling the webhook. */
  disable(id: string, options?: RequestOptions): Promise<Webhook>
  /** Closes the circuit and sets its failure count to 0, so that the webhook is called again. */
  resetCircuit(id: string, options?: RequestOptions): Promise<Webhook>
}

const ARGUMENTS = z.strictObject({
  topic,
  callbackUrl: url,
  name: text.optional(),
  includeResources: z.array(includePath, mustBe('a list of paths')).optional(),
  reference: text.optional(),
  referenceOrigin: text.optional(),
  metadata: metadata.optional(),
  disabled: flag.optional(),
})

/** An organization has some dozens. Some calls hold all of them in memory. */
const MAX_WEBHOOKS = 10_000

const CHANGES = ARGUMENTS.partial()

type Changes = z.infer<typeof CHANGES>

export function createWebhooks(client: Client): Webhooks {
  const { webhooks } = client
  return {
    async create(args, options = {}) {
      const resource = toAttributes(checkSchema('webhooks.create', ARGUMENTS, args)) as WebhookCreate
      const { signal } = checkSchema('webhooks.create', requestOptions, options)
      return client.call((call) => webhooks.create(resource, {}, call), { signal, isRepeatable: false })
    },
    list(options = {}) {
      const { signal } = checkSchema('webhooks.list', requestOptions, options)
      return paginate((page) => client.call((call) => webhooks.list(page, call), { signal }), {
        maxRecords: MAX_WEBHOOKS,
      })
    },
    async retrieve(id, options = {}) {
      return client.call((call) => webhooks.retrieve(id, {}, call), checkRecordCall('webhooks.retrieve', id, options))
    },
    async update(id, changes, options = {}) {
      const call = checkRecordCall('webhooks.update', id, options)
      const resource = { id, ...toAttributes(checkSchema('webhooks.update', CHANGES, changes)) } as WebhookUpdate
      return client.call((options) => webhooks.update(resource, {}, options), call)
    },
    async delete(id, options = {}) {
      const deleteRecord = async (call: CallOptions) => {
        await webhooks.delete(id, call)
        return { id }
      }
      await client.call(deleteRecord, checkRecordCall('webhooks.delete', id, options))
    },
    async enable(id, options = {}) {
      return client.call((call) => webhooks._enable(id, {}, call), checkRecordCall('webhooks.enable', id, options))
    },
    async disable(id, options = {}) {
      return client.call((call) => webhooks._disable(id, {}, call), checkRecordCall('webhooks.disable', id, options))
    },
    async resetCircuit(id, options = {}) {
      const call = checkRecordCall('webhooks.resetCircuit', id, options)
      return client.call((options) => webhooks._reset_circuit(id, {}, options), call)
    },
  }
}

/** Renames the members as the API has them. JSON leaves out those that are `undefined`. */
function toAttributes({ callbackUrl, includeResources, referenceOrigin, disabled, ...same }: Changes) {
  return {
    ...same,
    callback_url: callbackUrl,
    include_resources: includeResources,
    reference_origin: referenceOrigin,
    _disable: disabled === true ? true : undefined,
    _enable: disabled === false ? true : undefined,
  }
}
