import type { Inbox } from '../../core/inbox/inbox.ts'
import { checkQuery, checkResource } from './check-query.ts'
import { type Consumer, createConsumer } from './consumer.ts'
import { createDeadLetters } from './dead-letters.ts'
import { eraseResource, listDeliveries } from './list-deliveries.ts'
import type { DeliveryQueue } from './queue.ts'

/** Makes an inbox of a delivery queue: adds workers and the operations on many dead letters. */
export function createInbox(queue: DeliveryQueue, leaseMs: number): Inbox {
  const consumers = new Set<Consumer>()
  let closed: Promise<void> | undefined
  const pollAll = () => {
    for (const consumer of consumers) consumer.poll()
  }
  return {
    async put(delivery) {
      if (closed) throw new Error('The inbox is closed.')
      const result = await queue.put(delivery)
      if (result === 'stored') pollAll()
      return result
    },
    consume(process, options) {
      const consumer = createConsumer(queue, process, options, leaseMs)
      consumers.add(consumer)
      return {
        async stop(stopOptions) {
          await consumer.stop(stopOptions)
          consumers.delete(consumer)
        },
      }
    },
    deadLetters: createDeadLetters(queue, pollAll),
    list(query = {}) {
      const checked = checkQuery('inbox.list', query)
      return { [Symbol.asyncIterator]: () => listDeliveries(queue, checked) }
    },
    erase: async (resource) => eraseResource(queue, checkResource('inbox.erase', resource)),
    statistics: () => queue.statistics(),
    close() {
      closed ??= Promise.all([...consumers].map((consumer) => consumer.stop({ timeoutMs: 0 }))).then(() =>
        queue.close(),
      )
      return closed
    },
  }
}
