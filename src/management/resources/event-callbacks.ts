import type { EventCallback } from '@commercelayer/sdk'
import { z } from 'zod'
import { checkSchema, mustBe, oneOf, wholeNumber } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Client } from '../client/client.ts'
import { checkRecordCall, id, moment, momentOfRecord, signal, topic } from './arguments.ts'
import { PAGE_SIZE, paginate } from './paginate.ts'

/** Which event callbacks to list, and in which order. All members are optional; those that are given must all match. */
export interface EventCallbackQuery {
  /** One webhook, or several. */
  readonly webhookId?: string | readonly string[] | undefined
  /** The topic that the webhook has now, such as `orders.place`. */
  readonly topic?: string | undefined
  /** Created at this time or later. */
  readonly since?: Date | string | undefined
  /** Created before this time. */
  readonly until?: Date | string | undefined
  /**
   * `succeeded`: the endpoint answered 2xx. `failed`: it answered anything else. `pending`: there is no answer. That
   * calls which never got an answer are among the pending ones is an assumption.
   */
  readonly outcome?: 'failed' | 'succeeded' | 'pending' | undefined
  /** Default `created_at`: the oldest first. */
  readonly sort?: 'created_at' | '-created_at' | undefined
  /** How many are read with one request, 1 to 25; default 25. */
  readonly pageSize?: number | undefined
  /** Continues after this record, the last one that an earlier iteration of the same query gave. */
  readonly after?: { readonly id: string; readonly created_at: string } | undefined
  readonly signal?: AbortSignal | undefined
}

/** The calls that Commerce Layer made to webhooks, one record for each call, retries included. */
export interface EventCallbacks {
  /**
   * Lists event callbacks, each with its `webhook`. They are read page by page during the iteration. Each comes exactly
   * once, also when new calls are made and answered meanwhile. Iterating again starts from the beginning.
   *
   * @throws TypeError at once, if the query is malformed; ManagementError during the iteration, which can then be
   * continued with the last record as `after`.
   * @example
   * for await (const call of management.eventCallbacks.list({ outcome: 'failed', since: '2026-11-20' })) {
   *   console.log(call.created_at, call.webhook?.topic, call.response_code, call.response_message)
   * }
   */
  list(query?: EventCallbackQuery): AsyncIterable<EventCallback>
  /** Reads one event callback, with its `webhook`. */
  retrieve(id: string, options?: RequestOptions): Promise<EventCallback>
}

const QUERY = z.strictObject({
  webhookId: z.union([id, z.array(id).nonempty()], mustBe('an id, or a list of ids')).optional(),
  topic: topic.optional(),
  since: moment.optional(),
  until: moment.optional(),
  outcome: oneOf('failed', 'succeeded', 'pending').optional(),
  sort: oneOf('created_at', '-created_at').optional(),
  pageSize: wholeNumber(1, PAGE_SIZE).optional(),
  // The whole record may be passed.
  after: z.object({ id, created_at: momentOfRecord }).optional(),
  signal: signal.optional(),
})

/** The filters of the API for each outcome. They behave as in SQL: `not_start` does not match a code that is null. */
export const OUTCOME_FILTERS = {
  succeeded: { response_code_start: '2' },
  failed: { response_code_not_start: '2' },
  pending: { response_code_null: true },
} as const

export function createEventCallbacks(client: Client): EventCallbacks {
  return {
    list(query = {}) {
      const { webhookId, topic, outcome, signal, ...range } = checkSchema('eventCallbacks.list', QUERY, query)
      const filters = {
        ...(webhookId !== undefined && { webhook_id_in: [webhookId].flat().join(',') }),
        ...(topic !== undefined && { webhook_topic_eq: topic }),
        ...(outcome && OUTCOME_FILTERS[outcome]),
      }
      return paginate((page) => {
        const params = { ...page, filters: { ...filters, ...page.filters }, include: ['webhook'] }
        return client.call((options) => client.eventCallbacks.list(params, options), { signal })
      }, range)
    },
    async retrieve(id, options = {}) {
      const call = checkRecordCall('eventCallbacks.retrieve', id, options)
      return client.call((options) => client.eventCallbacks.retrieve(id, { include: ['webhook'] }, options), call)
    },
  }
}
