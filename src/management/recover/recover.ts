import { z } from 'zod'
import { callback, checkSchema, flag, text } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import type { Api } from '../resources/api.ts'
import { id, moment, signal, topic, url } from '../resources/arguments.ts'
import { createRecoveryProgress, type RecoveryProgress } from './progress.ts'
import { type Recovery, type RecoveryCursor, RecoveryError, type RecoveryResult } from './recovery.ts'
import { type RedeliveringReceiver, redeliverFailed } from './redeliver-failed.ts'
import { type RetriggerOutcome, retriggerEvents } from './retrigger.ts'

export interface RecoverOptions extends RequestOptions {
  /** Looks at calls that were made at this time or later. */
  readonly since: Date | string
  /** Looks at calls that were made before this time; default now. */
  readonly until?: Date | string | undefined
  /** Looks only at webhooks that call this URL now. Default: all webhooks. */
  readonly callbackUrl?: string | undefined
  readonly webhookId?: string | undefined
  /** Looks only at events of this topic, such as `orders.place`. */
  readonly topic?: string | undefined
  /** Reports what would be done, and does nothing. Default `false`. */
  readonly dryRun?: boolean | undefined
  /**
   * Afterwards resets the open circuits of the webhooks whose calls were looked at, also if their events failed again.
   * Default `false`.
   */
  readonly resetCircuits?: boolean | undefined
  /**
   * Has Commerce Layer send an event again if its payload lacks a resource that a handler includes. It is sent to all
   * webhooks of its topic, with the resources that they include now, so apply the plan first. Default `false`: the
   * event fails.
   */
  readonly retrigger?: boolean | undefined
  /** The `cursor` of an earlier recovery, to continue there. The other options must be the same. */
  readonly after?: RecoveryCursor | undefined
  /** Called once for each event. */
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
      failed: z.array(z.string().regex(/^[0-9a-f]{1,16}$/, 'must be a digest')),
    })
    .optional(),
  signal: signal.optional(),
  onResult: callback<(result: RecoveryResult) => void>().optional(),
})

/** Implements `management.recover`. */
export async function recoverEvents(
  api: Api,
  receiver: RedeliveringReceiver,
  options: RecoverOptions,
): Promise<Recovery> {
  const search = checkSchema('recover', OPTIONS, options)
  const { signal, dryRun } = search
  const progress = createRecoveryProgress(search)
  try {
    const { webhookIds, deferred } = await redeliverFailed(api, receiver, search, progress)
    // Before any event is triggered: an open circuit would stop its delivery.
    if (search.resetCircuits && !dryRun) await resetCircuits(api, webhookIds, { signal }, progress)
    await retriggerEvents(
      api,
      deferred,
      ({ digest, result }, outcome) => progress.settle(digest, toRetriggerResult(result, outcome)),
      { signal },
    )
    return progress.summarize(true)
  } catch (error) {
    if (signal?.aborted) return progress.summarize(false)
    throw new RecoveryError(progress.summarize(false), error)
  }
}

function toRetriggerResult(failed: RecoveryResult, outcome: RetriggerOutcome): RecoveryResult {
  const { error, ...about } = failed
  if (outcome === 'not-found')
    return { ...failed, error: `${error} Its event was not found, so it was not triggered again.` }
  return { ...about, result: outcome }
}

async function resetCircuits(
  { webhooks }: Api,
  webhookIds: ReadonlySet<string>,
  options: RequestOptions,
  progress: RecoveryProgress,
): Promise<void> {
  const open: string[] = []
  for await (const { id, circuit_state } of webhooks.list(options)) {
    if (circuit_state === 'open' && webhookIds.has(id)) open.push(id)
  }
  for (const id of open) {
    await webhooks.resetCircuit(id, options)
    progress.countCircuitReset()
  }
}
