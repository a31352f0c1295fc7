import { type Deadline, withTimeout } from '../deadline.ts'
import { WebhookError } from '../errors.ts'
import { parseDocument } from '../event/document.ts'
import { DUPLICATE, type Outcome, QUEUED } from '../outcome.ts'
import type { Delivery } from '../verify/authenticate.ts'
import type { Inbox } from './inbox.ts'

/**
 * Stores a delivery for a worker. Nothing is answered 2xx before the inbox has vouched for it, and nobody waits for an inbox
 * longer than until the deadline, whatever its client does.
 *
 * @throws WebhookError `STORE_UNAVAILABLE` or `OVERLOADED`.
 */
export async function storeDelivery(
  delivery: Delivery,
  inbox: Pick<Inbox, 'put'>,
  ordering: 'none' | 'resource',
  deadline: Deadline,
): Promise<Outcome> {
  const { id, topic, body, receivedAt } = delivery
  const group = ordering === 'resource' ? resourceGroup(delivery) : undefined
  const stored = await withTimeout(
    callPut(inbox, { id, topic, body, receivedAt, group }),
    deadline.remaining(),
    timeoutError,
  ).catch((cause: unknown) => {
    throw new WebhookError('STORE_UNAVAILABLE', { cause, hint: 'The inbox failed.' })
  })
  if (stored === 'full') throw new WebhookError('OVERLOADED', { message: 'The inbox is full.' })
  return stored === 'duplicate' ? DUPLICATE : QUEUED
}

/** As a promise, even if a driver throws. */
async function callPut(inbox: Pick<Inbox, 'put'>, delivery: Parameters<Inbox['put']>[0]): ReturnType<Inbox['put']> {
  return inbox.put(delivery)
}

function timeoutError(): Error {
  return new Error('The inbox did not answer in time.')
}

/** What is no document has no order to keep: a worker will find out what is wrong with it. */
function resourceGroup(delivery: Delivery): string | undefined {
  try {
    const { type, id } = parseDocument(delivery).data
    return `${type}/${id}`
  } catch {
    return undefined
  }
}
