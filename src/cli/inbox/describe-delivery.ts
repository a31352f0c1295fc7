import type { ListedDelivery } from 'hooklayer/drivers'
import { maskText } from 'hooklayer/testing'
import { alignLines } from '../terminal/align-lines.ts'
import { describeDuration } from '../terminal/moment.ts'
import type { Output } from '../terminal/output.ts'

const SHORT_ID = 12

/** How a delivery is printed: what looks like personal data in texts of errors is masked, unless that was asked for. */
export function maskDelivery(delivery: ListedDelivery, { showData = false }: { showData?: boolean }): ListedDelivery {
  const { error } = delivery
  if (showData || error === undefined) return delivery
  const { message, cause } = error
  const masked = { ...error, message: maskText(message), ...(cause !== undefined && { cause: maskText(cause) }) }
  return { ...delivery, error: masked }
}

export function printDeliveries(output: Output, deliveries: readonly ListedDelivery[]): void {
  output.table(deliveries, [
    { title: 'id', read: ({ id }) => id.slice(0, SHORT_ID) },
    { title: 'state', read: ({ state }) => state },
    { title: 'topic', read: ({ topic }) => topic },
    { title: 'resource', read: ({ resource }) => resource && `${resource.type}/${resource.id}` },
    { title: 'order', read: ({ resource }) => resource?.number },
    { title: 'attempts', align: 'right', read: countAttempts },
    { title: 'age', align: 'right', read: ({ ageMs }) => describeDuration(ageMs) },
    { title: 'next', align: 'right', read: ({ nextAttemptAt }) => nextAttemptAt && describeWait(nextAttemptAt) },
    { title: 'error', read: describeError },
  ])
}

const MAX_ERROR = 60

function describeError({ error }: ListedDelivery): string | undefined {
  if (error === undefined) return undefined
  const { code, handler, cause } = error
  const text = `${code}${handler === undefined ? '' : ` in ${handler}`}${cause === undefined ? '' : `: ${cause}`}`
  return text.length > MAX_ERROR ? `${text.slice(0, MAX_ERROR - 1)}…` : text
}

function countAttempts({ attempts, maxAttempts }: ListedDelivery): string {
  return maxAttempts === undefined ? String(attempts) : `${attempts}/${maxAttempts}`
}

/** A line for each thing that is known of a delivery. */
export function describeDelivery(delivery: ListedDelivery): string {
  const { id, topic, state, receivedAt, ageMs, nextAttemptAt, failedAt, resource, error } = delivery
  const number = resource?.number === undefined ? '' : `, number ${resource.number}`
  return alignLines([
    ['id', id],
    ['state', state],
    ['topic', topic],
    ['resource', resource ? `${resource.type}/${resource.id}${number}` : 'not known before an attempt has failed'],
    ['received', `${receivedAt.toISOString()}, ${describeDuration(ageMs)} ago`],
    ['attempts', countAttempts(delivery)],
    ['next attempt', nextAttemptAt && `${nextAttemptAt.toISOString()}, in ${describeWait(nextAttemptAt)}`],
    ['failed', failedAt?.toISOString()],
    ['error', error && `${error.code}: ${error.message}`],
    ['handler', error?.handler],
    ['cause', error?.cause],
  ])
}

function describeWait(until: Date): string {
  return describeDuration(until.getTime() - Date.now())
}
