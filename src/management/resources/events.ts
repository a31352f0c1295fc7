import type { Event, EventCallback } from '@commercelayer/sdk'
import { z } from 'zod'
import { checkSchema } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Client } from '../client/client.ts'
import { checkRecordCall, moment, requestOptions, topic } from './arguments.ts'
import { paginate } from './paginate.ts'

export interface EventQuery {
  /** The topic, such as `orders.place`. */
  readonly name: string
  /** Created at this time or later. */
  readonly since?: Date | string | undefined
  /** Created before this time. */
  readonly until?: Date | string | undefined
}

/**
 * The events of the organization. Wrong arguments throw a TypeError before a request is sent; a call that fails throws
 * a ManagementError.
 */
export interface Events {
  /**
   * Triggers an event again: Commerce Layer sends it to all webhooks of its topic. Each trigger has an effect, so the
   * request is not retried where it may have reached Commerce Layer; the error is then `OUTCOME_UNKNOWN`.
   */
  trigger(id: string, options?: RequestOptions): Promise<void>
  /**
   * Lists the events of a topic, the oldest first, each with its `last_event_callbacks`, which have no payload here.
   * They are read page by page.
   * That events can be filtered by name and time is an assumption: the SDK's types can sort by both.
   */
  list(query: EventQuery, options?: RequestOptions): AsyncIterable<Event>
}

/** All attributes but the payload: a page has those of hundreds of calls. */
const CALL_FIELDS: (keyof EventCallback)[] = [
  'callback_url',
  'response_code',
  'response_message',
  'created_at',
  'updated_at',
  'reference',
  'reference_origin',
  'metadata',
]

const QUERY = z.strictObject({ name: topic, since: moment.optional(), until: moment.optional() })

export function createEvents(client: Client): Events {
  return {
    async trigger(id, options = {}) {
      const { signal } = checkRecordCall('events.trigger', id, options)
      await client.call((call) => client.events._trigger(id, {}, call), { signal, isRepeatable: false })
    },
    list(query, options = {}) {
      const { name, ...range } = checkSchema('events.list', QUERY, query)
      const { signal } = checkSchema('events.list', requestOptions, options)
      return paginate((page) => {
        const params = {
          ...page,
          filters: { name_eq: name, ...page.filters },
          include: ['last_event_callbacks'],
          fields: { event_callbacks: CALL_FIELDS },
        }
        return client.call((call) => client.events.list(params, call), { signal })
      }, range)
    },
  }
}
