import type {
  ConsumeOptions,
  DeadLetter,
  DeadLetterFilter,
  DeadLetters,
  Inbox,
  ProcessDelivery,
} from '../../core/inbox/inbox.ts'
import { type Consumer, createConsumer } from './consumer.ts'
import type { DeliveryQueue } from './queue.ts'

/** Makes an inbox of what keeps its deliveries. */
export function createInbox(queue: DeliveryQueue, leaseMs: number): Inbox {
  const consumers = new Set<Consumer>()
  let closed: Promise<void> | undefined
  const pollAll = () => {
    for (const consumer of consumers) consumer.poll()
  }
  return {
    async put(delivery) {
      if (closed) throw new Error('The inbox is closed.')
      const kept = await queue.put(delivery)
      if (kept === 'stored') pollAll()
      return kept
    },
    consume(process: ProcessDelivery, options: ConsumeOptions) {
      const consumer = createConsumer(queue, process, options, leaseMs)
      consumers.add(consumer)
      return {
        async stop(patience) {
          await consumer.stop(patience)
          consumers.delete(consumer)
        },
      }
    },
    deadLetters: createDeadLetters(queue, pollAll),
    statistics: () => queue.statistics(),
    close() {
      closed ??= Promise.all([...consumers].map((consumer) => consumer.stop({ timeoutMs: 0 }))).then(() =>
        queue.close(),
      )
      return closed
    },
  }
}

function createDeadLetters(queue: DeliveryQueue, look: () => void): DeadLetters {
  async function* pages(filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]> {
    let page = await queue.listDeadLetters(filter, undefined)
    while (page.length > 0) {
      yield page
      page = await queue.listDeadLetters(filter, page.at(-1))
    }
  }

  /** Not those that die in the meantime: what is retried may do so again and again. */
  async function each(which: string | DeadLetterFilter, act: (id: string) => Promise<boolean>): Promise<number> {
    if (typeof which === 'string') return Number(await act(which))
    const now = new Date()
    const failedUntil = which.failedUntil && which.failedUntil < now ? which.failedUntil : now
    let count = 0
    for await (const page of pages({ ...which, failedUntil })) {
      const acted = await Promise.all(page.map(({ id }) => act(id)))
      count += acted.filter(Boolean).length
    }
    return count
  }

  return {
    async *list(filter = {}) {
      for await (const page of pages(filter)) yield* page
    },
    get: (id) => queue.getDeadLetter(id),
    async retry(which) {
      const count = await each(which, (id) => queue.retryDeadLetter(id))
      if (count > 0) look()
      return count
    },
    discard: (which) => each(which, (id) => queue.discardDeadLetter(id)),
  }
}
