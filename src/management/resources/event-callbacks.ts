import type { EventCallback } from '@commercelayer/sdk'
import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { checkArguments, id, moment, momentOfRecord, oneOf, signal, topic, wholeNumber } from './arguments.ts'
import { PAGE_SIZE, paginate } from './paginate.ts'

/** Which event callbacks, and in what order. Everything is optional; what is given must all apply. */
export interface EventCallbackQuery {
  readonly webhookId?: string | undefined
  readonly topic?: string | undefined
  /** Created then or later. */
  readonly since?: Date | string | undefined
  /** Created before. */
  readonly until?: Date | string | undefined
  /**
   * `succeeded`: answered 2xx. `failed`: answered otherwise. `pending`: without an answer; that this includes calls which never
   * got one is an assumption.
   */
  readonly outcome?: 'failed' | 'succeeded' | 'pending' | undefined
  /** Default `created_at`, the oldest first. */
  readonly sort?: 'created_at' | '-created_at' | undefined
  /** 1 to 25, default 25. */
  readonly pageSize?: number | undefined
  /** Goes on behind this record, with the same query: the last one that an earlier iteration gave. */
  readonly after?: { readonly id: string; readonly created_at: string } | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Lists the calls that were made to webhooks, each with its `webhook`, while it is iterated over: page by page, whatever their
 * number, each once, also while new ones are made and answered. A page that fails throws out of the iteration; the last record
 * that came is what to hand in as `after`. Iterating again begins anew.
 *
 * @throws TypeError at once, if the query is malformed; ManagementError while iterating.
 */
export type EventCallbacks = (query?: EventCallbackQuery) => AsyncIterable<EventCallback>

const QUERY = z.strictObject({
  webhookId: id.optional(),
  topic: topic.optional(),
  since: moment.optional(),
  until: moment.optional(),
  outcome: oneOf('failed', 'succeeded', 'pending').optional(),
  sort: oneOf('created_at', '-created_at').optional(),
  pageSize: wholeNumber(1, PAGE_SIZE).optional(),
  // A whole record may be handed in.
  after: z.object({ id, created_at: momentOfRecord }).optional(),
  signal: signal.optional(),
})

/** In SQL's terms, as the API's filters are: `not_start` does not match what is null. */
const OUTCOMES = {
  succeeded: { response_code_start: '2' },
  failed: { response_code_not_start: '2' },
  pending: { response_code_null: true },
} as const

export function createEventCallbacks(client: Client): EventCallbacks {
  return (query = {}) => {
    const { webhookId, topic, outcome, signal, ...range } = checkArguments('eventCallbacks', QUERY, query)
    const which = {
      ...(webhookId !== undefined && { webhook_id_eq: webhookId }),
      ...(topic !== undefined && { webhook_topic_eq: topic }),
      ...(outcome && OUTCOMES[outcome]),
    }
    return paginate((page) => {
      const params = { ...page, filters: { ...which, ...page.filters }, include: ['webhook'] }
      return client.call((options) => client.eventCallbacks.list(params, options), { signal })
    }, range)
  }
}
