import type { Inbox } from 'hooklayer'
import type { DeliveryCounts, ListedDelivery } from 'hooklayer/drivers'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { parseDuration } from '../terminal/duration.ts'
import { describeDuration } from '../terminal/moment.ts'
import { escapeText, type Output } from '../terminal/output.ts'
import { describeDelivery, maskDelivery, printDeliveries } from './describe-delivery.ts'
import { findDeliveries, findDelivery, STATES } from './find-deliveries.ts'
import type { InboxFlags } from './open-inbox.ts'

export interface ListFlags extends InboxFlags {
  readonly state?: string
  readonly topic?: string
  readonly code?: string
  readonly order?: string
  readonly search?: string
  readonly olderThan?: string
  readonly after?: string
  readonly limit: number
  readonly showData?: boolean
}

export interface ShowFlags extends InboxFlags {
  readonly showData?: boolean
}

interface TopicCounts extends DeliveryCounts {
  readonly topic: string
}

const COUNTED = ['queued', 'running', 'failed', 'unhandled', 'dead'] as const

/** Prints how many deliveries there are, by topic and state. */
export async function printStats(inbox: Inbox, output: Output): Promise<void> {
  const { byTopic, oldest, ...total } = await inbox.statistics()
  if (output.json) return output.result({ ...total, oldest, byTopic }, '')
  const rows: TopicCounts[] = Object.entries(byTopic).map(([topic, counts]) => ({ topic, ...counts }))
  rows.sort((one, other) => one.topic.localeCompare(other.topic))
  output.table(
    [...rows, { topic: 'all', ...total }],
    [
      { title: 'topic', read: ({ topic }) => topic },
      ...COUNTED.map((state) => ({ title: state, align: 'right', read: (row: TopicCounts) => row[state] }) as const),
    ],
  )
  if (oldest) output.info(`The oldest was received ${describeDuration(Date.now() - oldest.getTime())} ago.`)
}

/** A search reads bodies, which may take long without a find. */
const PROGRESS_MS = 500

/** Prints a page of the deliveries that match. */
export async function printList(inbox: Inbox, flags: ListFlags, { output, signal }: CommandContext): Promise<void> {
  const { state, topic, code, order, search, olderThan, after, limit } = flags
  if (order !== undefined && search !== undefined)
    throw new CliError('USAGE', 'Give --order or --search, and not both.')
  const startedAt = performance.now()
  const query = {
    state: state === undefined ? undefined : STATES[state],
    topic,
    code,
    search: order ?? search,
    olderThanMs: olderThan === undefined ? undefined : parseDuration(olderThan),
    after: after === undefined ? undefined : { id: after },
    signal,
  }
  const found: ListedDelivery[] = []
  const progress = output.progress('Looking:')
  const timer = setInterval(() => progress.update(found.length, 'found'), PROGRESS_MS)
  try {
    for await (const delivery of findDeliveries(inbox, query)) {
      found.push(delivery)
      if (found.length > limit) break
    }
  } finally {
    clearInterval(timer)
    progress.end()
  }
  if (output.verbose) output.info(`Read in ${Math.round(performance.now() - startedAt)} ms.`)
  const page = found.slice(0, limit).map((delivery) => maskDelivery(delivery, flags))
  if (page.length > 0 || output.json) printDeliveries(output, page)
  else output.info('There is no such delivery.')
  if (found.length > limit) output.info(`There are more: add --after ${escapeText(String(page.at(-1)?.id))}`)
}

/** Prints all that is known of one delivery. */
export async function printDelivery(
  inbox: Inbox,
  id: string,
  flags: ShowFlags,
  { output, signal }: CommandContext,
): Promise<void> {
  const delivery = maskDelivery(await findDelivery(inbox, id, signal), flags)
  const stored = delivery.state === 'dead' ? await inbox.deadLetters.get(delivery.id) : undefined
  const body = stored && readBody(stored.delivery.body)
  if (output.json) return output.result({ ...delivery, ...(flags.showData && { body }) }, '')
  output.result(delivery, describeDelivery(delivery))
  if (!flags.showData) return
  if (body === undefined) output.info('The body of a delivery is only given when it is a dead letter.')
  else for (const line of formatBody(body).split('\n')) output.info(escapeText(line))
}

/** The document, or the text of what is none. */
function readBody(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function formatBody(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body, undefined, 2)
}
