import type { Inbox } from 'hooklayer'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { warnOfUnknownTopic } from '../configuration/catalog.ts'
import { parseMoment } from '../terminal/moment.ts'
import { findDeliveries, findDelivery } from './find-deliveries.ts'

export interface SelectionFlags {
  readonly all?: boolean
  readonly topic?: string
  readonly code?: string
  readonly order?: string
  readonly since?: string
  readonly until?: string
}

/** How many are changed at once. */
const BATCH = 100

/**
 * The ids of the dead letters that an id, filters or `--all` select. Those that fail from now on are not among them: a
 * delivery that is retried may fail again.
 */
export async function selectDeadLetters(
  inbox: Inbox,
  id: string | undefined,
  flags: SelectionFlags,
  { output, signal }: CommandContext,
): Promise<readonly string[]> {
  const { all = false, topic, code, order: search, since, until } = flags
  const isFiltered = [topic, code, search, since, until].some((value) => value !== undefined)
  if (Number(id !== undefined) + Number(isFiltered) + Number(all) !== 1) {
    throw new CliError('USAGE', 'Give an id, or filters such as --topic, or --all.')
  }
  if (topic !== undefined) warnOfUnknownTopic(topic, output)
  if (id !== undefined) {
    const delivery = await findDelivery(inbox, id, signal)
    if (delivery.state === 'dead') return [delivery.id]
    throw new CliError('FOUND_WRONG', `The delivery ${id} is no dead letter: it is ${delivery.state}.`)
  }
  const from = since === undefined ? new Date(0) : parseMoment(since, '--since')
  const to = until === undefined ? new Date() : parseMoment(until, '--until')
  const progress = output.progress('Found')
  const ids: string[] = []
  try {
    for await (const { id, failedAt = to } of findDeliveries(inbox, { state: 'dead', topic, code, search, signal })) {
      if (failedAt >= from && failedAt <= to) ids.push(id)
      progress.update(ids.length)
    }
  } finally {
    progress.end()
  }
  return ids
}

/** Changes dead letters one by one, with progress. Gives how many there still were. Ctrl-C ends it between two. */
export async function changeEach(
  ids: readonly string[],
  change: (id: string) => Promise<number>,
  label: string,
  { output, signal }: CommandContext,
): Promise<number> {
  const progress = output.progress(label, ids.length)
  let [done, changed] = [0, 0]
  try {
    while (done < ids.length && !signal.aborted) {
      const batch = ids.slice(done, done + BATCH)
      const counts = await Promise.all(batch.map(change))
      done += batch.length
      changed += counts.reduce((sum, count) => sum + count, 0)
      progress.update(done)
    }
  } finally {
    progress.end()
  }
  if (signal.aborted) output.warn(`Stopped after ${done} of ${ids.length}.`)
  return changed
}
