import { z } from 'zod'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'
import { checkArguments, flag, id, moment, signal, text, topic, url } from '../resources/arguments.ts'
import { createRecoveryProgress, type RecoveryProgress } from './progress.ts'
import { type Recovery, type RecoveryCursor, RecoveryError, type RecoveryResult } from './recovery.ts'
import { type RedeliveringReceiver, redeliverFailed } from './redeliver-failed.ts'
import { retriggerEvents } from './retrigger.ts'

export interface RecoverOptions extends RequestOptions {
  /** Looks at calls that were made then or later. */
  readonly since: Date | string
  /** Looks at calls that were made before; default now. */
  readonly until?: Date | string | undefined
  /** Only webhooks that call this URL now. Default: all of them, see {@link recover}. */
  readonly callbackUrl?: string | undefined
  readonly webhookId?: string | undefined
  readonly topic?: string | undefined
  /** Says what would be done, and does nothing of it. Default `false`. */
  readonly dryRun?: boolean | undefined
  /** Closes, afterwards, the open circuits of the webhooks whose calls were looked at, whatever came of these. Default `false`. */
  readonly resetCircuits?: boolean | undefined
  /**
   * Has Commerce Layer send an event again whose payload lacks what a handler includes: to all webhooks of its topic, with what they
   * include by now, so apply the plan first. Default `false`: it fails.
   */
  readonly retrigger?: boolean | undefined
  /** The `cursor` of an earlier recovery, to go on from there; the other options must be the same. */
  readonly after?: RecoveryCursor | undefined
  /** Told what became of each event, once. */
  readonly onResult?: ((result: RecoveryResult) => void) | undefined
}

const OPTIONS = z.strictObject({
  since: moment,
  until: moment.optional(),
  callbackUrl: url.optional(),
  webhookId: id.optional(),
  topic: topic.optional(),
  dryRun: flag.optional(),
  resetCircuits: flag.optional(),
  retrigger: flag.optional(),
  after: z
    .strictObject({
      asOf: moment,
      last: z.strictObject({ id, created_at: text }).nullable(),
      failed: z.array(z.string().regex(/^[0-9a-f]{1,16}$/, 'is not a digest')),
    })
    .optional(),
  signal: signal.optional(),
  onResult: z
    .custom<(result: RecoveryResult) => void>((given) => typeof given === 'function', 'is not a function')
    .optional(),
})

/**
 * Runs the handlers for events whose delivery failed: calls that were answered with anything but 2xx, or got no answer within a minute.
 *
 * Each event is run once, however often it was fired, one after the other in the order of their first failed calls, by way of
 * `receiver.redeliver` and with the payload that the API has kept; nothing is signed, and nothing is sent. Events that the
 * same URL has acknowledged are left out, and so are topics that no handler listens to. A handler that fails again does not stop the
 * rest.
 *
 * Four things to know. If several endpoints of an organization subscribe to the same topics, name yours by `callbackUrl`: what failed
 * at another would be handled here, too. An inbox is passed by: the handlers run here and now, so that it is known what became of each
 * event. What Commerce Layer itself fires again meanwhile, or an inbox had stored although its call failed, is handled twice, unless
 * the receiver has an idempotency store; with one, what is under way elsewhere fails as `IN_PROGRESS`, and the next recovery will
 * tell. And what occurred while a circuit was open was never sent, so there is no call to recover it from.
 *
 * Aborting the signal stops it after the event under way, and it resolves all the same. Handed its `cursor` as `after`, it goes on:
 * what was recovered is not run again, what failed is, so the cursor of a complete recovery repeats its failures. To know
 * which is which it reads the earlier calls once more. A dry run gives back the cursor that it was given.
 *
 * Memory: three pages of calls, and some 60 bytes for each event that was delivered or failed since `since`.
 *
 * @throws TypeError if an option is not usable; RecoveryError, with the summary and the cursor, when the API fails or `onResult`
 * throws.
 */
export async function recover(api: Api, receiver: RedeliveringReceiver, options: RecoverOptions): Promise<Recovery> {
  const search = checkArguments('recover', OPTIONS, options)
  const { signal, dryRun } = search
  const ledger = createRecoveryProgress(search)
  try {
    const { webhookIds, deferred } = await redeliverFailed(api, receiver, search, ledger)
    // Before anything is triggered, for an open circuit lets nothing through.
    if (search.resetCircuits && !dryRun) await closeCircuits(api, webhookIds, { signal }, ledger)
    await retriggerEvents(api, deferred, (one, end) => ledger.settle(one.digest, retriggered(one.result, end)), {
      signal,
    })
    return ledger.summary(true)
  } catch (error) {
    if (signal?.aborted) return ledger.summary(false)
    throw new RecoveryError(ledger.summary(false), error)
  }
}

function retriggered(result: RecoveryResult, end: 'retriggered' | 'already-delivered' | 'not-found'): RecoveryResult {
  if (end === 'not-found')
    return { ...result, error: `${result.error} Its event was not found, to be triggered again.` }
  const { error, ...rest } = result
  return { ...rest, result: end }
}

async function closeCircuits(
  { webhooks }: Api,
  webhookIds: ReadonlySet<string>,
  options: RequestOptions,
  ledger: RecoveryProgress,
): Promise<void> {
  const open: string[] = []
  for await (const { id, circuit_state } of webhooks.list(options)) {
    if (circuit_state === 'open' && webhookIds.has(id)) open.push(id)
  }
  for (const id of open) {
    await webhooks.resetCircuit(id, options)
    ledger.circuitReset()
  }
}
