import type {
  ConsumeOptions,
  DeadLetter,
  DeadLetterFilter,
  DeadLetters,
  Inbox,
  ProcessDelivery,
} from '../core/inbox.ts'
import { type Consuming, consume } from './consume.ts'
import type { Shelf } from './shelf.ts'

/** Makes an inbox of what keeps its deliveries. */
export function inboxOn(shelf: Shelf, leaseMs: number): Inbox {
  const consumers = new Set<Consuming>()
  let closed: Promise<void> | undefined
  const look = () => {
    for (const consumer of consumers) consumer.look()
  }
  return {
    async put(delivery) {
      if (closed) throw new Error('The inbox is closed.')
      const kept = await shelf.put(delivery)
      if (kept === 'stored') look()
      return kept
    },
    consume(process: ProcessDelivery, options: ConsumeOptions) {
      const consumer = consume(shelf, process, options, leaseMs)
      consumers.add(consumer)
      return {
        async stop(patience) {
          await consumer.stop(patience)
          consumers.delete(consumer)
        },
      }
    },
    deadLetters: deadLettersOf(shelf, look),
    statistics: () => shelf.statistics(),
    close() {
      closed ??= Promise.all([...consumers].map((consumer) => consumer.stop({ timeoutMs: 0 }))).then(() =>
        shelf.close(),
      )
      return closed
    },
  }
}

function deadLettersOf(shelf: Shelf, look: () => void): DeadLetters {
  async function* pages(filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]> {
    let page = await shelf.dead(filter, undefined)
    while (page.length > 0) {
      yield page
      page = await shelf.dead(filter, page.at(-1))
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
    get: (id) => shelf.letter(id),
    async retry(which) {
      const count = await each(which, (id) => shelf.revive(id))
      if (count > 0) look()
      return count
    },
    discard: (which) => each(which, (id) => shelf.discard(id)),
  }
}
