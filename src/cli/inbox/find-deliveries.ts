import type { Inbox } from 'hooklayer'
import type { DeadLetter, DeliveryQuery, DeliveryState, ListedDelivery } from 'hooklayer/drivers'
import { CliError } from '../cli-error.ts'

/** What `--state` may be, and the states of an inbox that it means. */
export const STATES: Readonly<Record<string, readonly DeliveryState[]>> = {
  waiting: ['queued', 'failed', 'unhandled'],
  running: ['running'],
  dead: ['dead'],
  queued: ['queued'],
  failed: ['failed'],
  unhandled: ['unhandled'],
}

/** Dead letters have an index of their own, so they are not looked for among all others. */
export function findDeliveries(inbox: Inbox, query: DeliveryQuery): AsyncIterable<ListedDelivery> {
  const { state, topic, code, after, signal, ...others } = query
  const needsScan = Object.values(others).some((value) => value !== undefined)
  if (needsScan || [state].flat().join() !== 'dead') return inbox.list(query)
  return listDead(inbox, { topic, code, after, signal })
}

async function* listDead(
  inbox: Inbox,
  { topic, code, after, signal }: Pick<DeliveryQuery, 'topic' | 'code' | 'after' | 'signal'>,
): AsyncGenerator<ListedDelivery> {
  const last = after && (await inbox.deadLetters.get(after.id))
  let isAfter = last === undefined
  for await (const deadLetter of inbox.deadLetters.list({ topic, code, failedSince: last?.failedAt })) {
    signal?.throwIfAborted()
    if (isAfter) yield toListed(deadLetter)
    else isAfter = deadLetter.id === last?.id
  }
}

function toListed(deadLetter: DeadLetter): ListedDelivery {
  return { ...deadLetter, state: 'dead', ageMs: Math.max(0, Date.now() - deadLetter.receivedAt.getTime()) }
}

/** Finds a delivery by its id, or by what its id begins with, as lists print it. */
export async function findDelivery(inbox: Inbox, start: string, signal: AbortSignal): Promise<ListedDelivery> {
  const dead = await inbox.deadLetters.get(start)
  if (dead) {
    const { delivery: _, ...deadLetter } = dead
    return toListed(deadLetter)
  }
  const found: ListedDelivery[] = []
  for await (const delivery of inbox.list({ signal })) {
    if (delivery.id === start) return delivery
    if (delivery.id.startsWith(start)) found.push(delivery)
  }
  const [first, second] = found
  if (first && !second) return first
  if (second) throw new CliError('USAGE', `${found.length} ids begin with ${start}: write more of it.`)
  throw new CliError(
    'FOUND_WRONG',
    `There is no delivery ${start}: it was handled or erased, or is elsewhere. \`hooklayer inbox list --order\` finds an order.`,
  )
}
