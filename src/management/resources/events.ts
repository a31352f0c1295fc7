import type { Event } from '@commercelayer/sdk'
import { z } from 'zod'
import type { RequestOptions } from '../client/abort.ts'
import type { Client } from '../client/client.ts'
import { checkArguments, checkRecordCall, moment, requestOptions, topic } from './arguments.ts'
import { paginate } from './paginate.ts'

export interface EventQuery {
  /** The topic, such as `orders.place`. */
  readonly name: string
  /** Created then or later. */
  readonly since?: Date | string | undefined
  /** Created before. */
  readonly until?: Date | string | undefined
}

/** What happened to resources. Wrong arguments throw a TypeError before anything is asked, and what fails a ManagementError. */
export interface Events {
  /**
   * Fires the event again, at all webhooks that subscribe to it. It is not repeated when it is not known whether it was done
   * (`OUTCOME_UNKNOWN`), for every time counts.
   */
  trigger(id: string, options?: RequestOptions): Promise<void>
  /**
   * The events of a topic, the oldest first, each with its `last_event_callbacks`, page by page. That events can be filtered by
   * name and time is an assumption: the SDK's types can sort by both.
   */
  list(query: EventQuery, options?: RequestOptions): AsyncIterable<Event>
}

const QUERY = z.strictObject({ name: topic, since: moment.optional(), until: moment.optional() })

export function createEvents(client: Client): Events {
  return {
    async trigger(id, options = {}) {
      const { signal } = checkRecordCall('events.trigger', id, options)
      await client.call((call) => client.events._trigger(id, {}, call), { signal, isRepeatable: false })
    },
    list(query, options = {}) {
      const { name, ...range } = checkArguments('events.list', QUERY, query)
      const { signal } = checkArguments('events.list', requestOptions, options)
      return paginate((page) => {
        const params = { ...page, filters: { name_eq: name, ...page.filters }, include: ['last_event_callbacks'] }
        return client.call((call) => client.events.list(params, call), { signal })
      }, range)
    },
  }
}
