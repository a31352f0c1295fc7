import { type Inbox, TOPICS } from 'hooklayer'
import { findNearest } from '../../core/check-options.ts'
import type { CommandContext } from '../command.ts'
import type { ExitName } from '../exit-codes.ts'
import { confirmOrStop } from '../terminal/ask.ts'
import { escapeText, type Output } from '../terminal/output.ts'
import { changeEach, type SelectionFlags, selectDeadLetters } from './change-dead-letters.ts'
import type { InboxFlags } from './open-inbox.ts'

export interface ChangeFlags extends InboxFlags, SelectionFlags {
  readonly yes?: boolean
}

/** Puts dead letters back into the queue, and asks before it does so with all. */
export async function retryDeadLetters(
  inbox: Inbox,
  id: string | undefined,
  flags: ChangeFlags,
  context: CommandContext,
): Promise<void> {
  const ids = await selectDeadLetters(inbox, id, flags, context)
  if (flags.all && ids.length > 0) {
    const message = `${countDeadLetters(ids.length)} will be handled again. Retry all?`
    await confirmOrStop(context.output, flags, message, 'Nothing was retried.')
  }
  const retried = await changeEach(ids, (one) => inbox.deadLetters.retry(one), 'Retried', context)
  context.output.result({ retried }, describeChange(retried, 'put back into the queue'))
}

/** Deletes dead letters, and asks before it deletes several or all. */
export async function discardDeadLetters(
  inbox: Inbox,
  id: string | undefined,
  flags: ChangeFlags,
  context: CommandContext,
): Promise<void> {
  const ids = await selectDeadLetters(inbox, id, flags, context)
  if (ids.length > 1 || (flags.all && ids.length > 0)) {
    const message = `${countDeadLetters(ids.length)} will be deleted. Discard ${ids.length > 1 ? 'them' : 'it'}?`
    await confirmOrStop(context.output, flags, message, 'Nothing was discarded.')
  }
  const discarded = await changeEach(ids, (one) => inbox.deadLetters.discard(one), 'Discarded', context)
  context.output.result({ discarded }, describeChange(discarded, 'discarded'))
}

function countDeadLetters(count: number): string {
  return count === 1 ? '1 dead letter' : `${count} dead letters`
}

function describeChange(count: number, change: string): string {
  return `${countDeadLetters(count)} ${count === 1 ? 'was' : 'were'} ${change}.`
}

/** Deletes the deliveries that carry a resource, and asks before it does. */
export async function eraseResource(
  inbox: Inbox,
  resource: { readonly type: string; readonly id: string },
  flags: ChangeFlags,
  context: CommandContext,
): Promise<ExitName> {
  const { output, signal } = context
  const name = escapeText(`${resource.type}/${resource.id}`)
  const count = await countCarrying(inbox, resource, context)
  if (count > 0) {
    const message =
      count === 1
        ? `One delivery carries ${name}, and will not be handled any more. Erase it?`
        : `${count} deliveries carry ${name}, and will not be handled any more. Erase them?`
    await confirmOrStop(context.output, flags, message, 'Nothing was erased.')
  }
  signal.throwIfAborted()
  const { running, ...erased } = await inbox.erase(resource)
  const total = Object.values(erased).reduce((sum, one) => sum + one, 0)
  output.result(
    { ...erased, running },
    `${total === 1 ? 'One delivery' : `${total} deliveries`} with ${name} ${total === 1 ? 'was' : 'were'} erased.`,
  )
  if (total + running === 0) warnOfUnknownType(resource.type, output)
  if (running === 0) return 'OK'
  output.warn(`${running} are being handled and were left: erase again when they have ended.`)
  return 'FOUND_WRONG'
}

async function countCarrying(
  inbox: Inbox,
  resource: { readonly type: string; readonly id: string },
  { output, signal }: CommandContext,
): Promise<number> {
  const progress = output.progress('Found')
  let count = 0
  try {
    for await (const _ of inbox.list({ resource, signal })) {
      count += 1
      progress.update(count)
    }
  } finally {
    progress.end()
  }
  return count
}

/** Nothing was found: perhaps because the type is misspelled. */
function warnOfUnknownType(type: string, output: Output): void {
  const types = Object.keys(TOPICS)
  const meant = types.includes(type) ? undefined : findNearest(type, types)
  if (meant) output.warn(escapeText(`${type} is not a known type of resources. Did you mean ${meant}?`))
}
