import type { DeadLetter, DeadLetterFilter, DeadLetters } from '../../core/inbox/inbox.ts'
import { checkFilter, checkId, checkSelection } from './check-selection.ts'
import type { DeliveryQueue } from './queue.ts'

/** The dead letters of a queue. @param onRetried is called when there is something new to handle. */
export function createDeadLetters(queue: DeliveryQueue, onRetried: () => void): DeadLetters {
  return {
    list: (filter = {}) => listAll(queue, checkFilter('list', filter)),
    get: async (id) => queue.getDeadLetter(checkId('get', id)),
    async retry(which) {
      const count = await applyToEach(queue, checkSelection('retry', which), (id) => queue.retryDeadLetter(id))
      if (count > 0) onRetried()
      return count
    },
    discard: async (which) => applyToEach(queue, checkSelection('discard', which), (id) => queue.discardDeadLetter(id)),
  }
}

async function* listAll(queue: DeliveryQueue, filter: DeadLetterFilter): AsyncGenerator<DeadLetter> {
  for await (const page of listPages(queue, filter)) yield* page
}

async function* listPages(queue: DeliveryQueue, filter: DeadLetterFilter): AsyncGenerator<readonly DeadLetter[]> {
  let page = await queue.listDeadLetters(filter, undefined)
  while (page.length > 0) {
    yield page
    page = await queue.listDeadLetters(filter, page.at(-1))
  }
}

/** Leaves out dead letters that are added meanwhile: a delivery that is retried may fail again and again. */
async function applyToEach(
  queue: DeliveryQueue,
  which: string | DeadLetterFilter,
  act: (id: string) => Promise<boolean>,
): Promise<number> {
  if (typeof which === 'string') return Number(await act(which))
  const now = new Date()
  const failedUntil = which.failedUntil && which.failedUntil < now ? which.failedUntil : now
  let count = 0
  for await (const page of listPages(queue, { ...which, failedUntil })) {
    const acted = await Promise.all(page.map(({ id }) => act(id)))
    count += acted.filter(Boolean).length
  }
  return count
}
