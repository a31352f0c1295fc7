import type { Webhook, WebhookCreate, WebhookUpdate } from '@commercelayer/sdk'
import { z } from 'zod'
import type { RequestOptions } from '../client/abort.ts'
import type { CallOptions, Client } from '../client/client.ts'
import {
  checkArguments,
  checkRecordCall,
  flag,
  includePath,
  metadata,
  requestOptions,
  text,
  topic,
  url,
} from './arguments.ts'
import { paginate } from './paginate.ts'

export interface WebhookArguments {
  /** Such as `orders.place`. */
  readonly topic: string
  /** Where deliveries go: https, or http on a loopback host. */
  readonly callbackUrl: string
  /** Unique in the organization. Default `{organization}-{topic}`, which Commerce Layer makes. */
  readonly name?: string | undefined
  /** Dotted paths of the relationships that deliveries include. Default: none. */
  readonly includeResources?: readonly string[] | undefined
  readonly reference?: string | undefined
  readonly referenceOrigin?: string | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** Whether it is called at all. Default `false`. */
  readonly disabled?: boolean | undefined
}

/**
 * The webhooks of the organization, as the SDK's `Webhook`: `shared_secret` is in it, so do not log one whole. Wrong arguments
 * throw a TypeError before anything is asked, and what fails a ManagementError.
 */
export interface Webhooks {
  /**
   * Makes a webhook. Only its unique name keeps it from being made twice, so it is not repeated when it is not known whether it was
   * done: the error is `OUTCOME_UNKNOWN`, and a look for the name tells.
   */
  create(args: WebhookArguments, options?: RequestOptions): Promise<Webhook>
  /** All of them, the oldest first, page by page. */
  list(options?: RequestOptions): AsyncIterable<Webhook>
  retrieve(id: string, options?: RequestOptions): Promise<Webhook>
  /** Changes what is named, and nothing else. */
  update(id: string, changes: Partial<WebhookArguments>, options?: RequestOptions): Promise<Webhook>
  /** `RECORD_NOT_FOUND` may mean that an attempt before, whose answer was lost, did it. */
  delete(id: string, options?: RequestOptions): Promise<void>
  enable(id: string, options?: RequestOptions): Promise<Webhook>
  disable(id: string, options?: RequestOptions): Promise<Webhook>
  /** Closes the circuit and sets its failures to 0, so that the webhook is called again. */
  resetCircuit(id: string, options?: RequestOptions): Promise<Webhook>
}

const ARGUMENTS = z.strictObject({
  topic,
  callbackUrl: url,
  name: text.optional(),
  includeResources: z.array(includePath, 'is not a list of paths').optional(),
  reference: text.optional(),
  referenceOrigin: text.optional(),
  metadata: metadata.optional(),
  disabled: flag.optional(),
})

const CHANGES = ARGUMENTS.partial()

type Changes = z.infer<typeof CHANGES>

export function createWebhooks(client: Client): Webhooks {
  const { webhooks } = client
  return {
    async create(args, options = {}) {
      const resource = toAttributes(checkArguments('webhooks.create', ARGUMENTS, args)) as WebhookCreate
      const { signal } = checkArguments('webhooks.create', requestOptions, options)
      return client.call((call) => webhooks.create(resource, {}, call), { signal, isRepeatable: false })
    },
    list(options = {}) {
      const { signal } = checkArguments('webhooks.list', requestOptions, options)
      return paginate((page) => client.call((call) => webhooks.list(page, call), { signal }), {})
    },
    async retrieve(id, options = {}) {
      return client.call((call) => webhooks.retrieve(id, {}, call), checkRecordCall('webhooks.retrieve', id, options))
    },
    async update(id, changes, options = {}) {
      const call = checkRecordCall('webhooks.update', id, options)
      const resource = { id, ...toAttributes(checkArguments('webhooks.update', CHANGES, changes)) } as WebhookUpdate
      return client.call((options) => webhooks.update(resource, {}, options), call)
    },
    async delete(id, options = {}) {
      const gone = async (call: CallOptions) => {
        await webhooks.delete(id, call)
        return { id }
      }
      await client.call(gone, checkRecordCall('webhooks.delete', id, options))
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

/** In the API's names. What is `undefined` is not written: JSON leaves it out. */
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
