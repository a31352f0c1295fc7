import type { Webhook } from '@commercelayer/sdk'
import { z } from 'zod'
import type { RequestOptions } from '../client/abort.ts'
import { checkArguments, signal, url } from '../resources/arguments.ts'
import type { Plan, PlanStep } from './plan.ts'
import { findWebhooks, groupSecrets, isOurs, ORIGIN, type WebhooksApi } from './webhooks-by-url.ts'

export interface ApplyOptions extends RequestOptions {
  /** Told of each step once it is done, those that keep something included. */
  readonly onStep?: ((step: PlanStep) => void) | undefined
}

/** The step of a plan that failed. Those before it are done and stay; plan and apply again for the rest. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError'
  readonly step: PlanStep

  constructor(step: PlanStep, cause: unknown) {
    const why = cause instanceof Error ? ` ${cause.message}` : ''
    super(`Could not ${step.action} the webhook for ${step.topic}.${why}`, { cause })
    this.step = step
  }
}

const ACTIONS = ['create', 'update', 'enable', 'reset', 'delete', 'keep'] as const satisfies PlanStep['action'][]

/** A plan may come from a file. What a step needs besides is checked by the call that it leads to. */
const PLAN = z.object({
  callbackUrl: url,
  steps: z.array(z.looseObject({ action: z.enum(ACTIONS), topic: z.string() }), 'is not a list of steps'),
})

const OPTIONS = z.strictObject({
  signal: signal.optional(),
  onStep: z.custom((given) => typeof given === 'function', 'is not a function').optional(),
})

/**
 * Does the steps of a plan, one after the other, deletions last.
 *
 * A plan may be applied twice: what there is by now is neither made nor deleted again. A webhook that hooklayer did not make is not
 * deleted, whatever the plan says.
 *
 * @returns the shared secrets of the webhooks of the URL by topic, those that were kept included, as `createReceiver` takes them: a
 * list where a topic has several webhooks.
 * @throws TypeError if it is no plan; ManagementError if the webhooks cannot be read; ApplyError at the first step that fails; the
 * signal's reason once it is aborted: whether the step under way was done is then unknown.
 */
export async function apply(
  api: WebhooksApi,
  plan: Plan,
  options: ApplyOptions = {},
): Promise<Record<string, string | string[]>> {
  checkArguments('apply: plan', PLAN, plan)
  checkArguments('apply', OPTIONS, options)
  const { callbackUrl, steps } = plan
  const { signal, onStep } = options
  const existing = new Map((await findWebhooks(api, callbackUrl, { signal })).map((webhook) => [webhook.id, webhook]))
  const isDeletion = ({ action }: PlanStep) => action === 'delete'
  for (const step of [...steps.filter((step) => !isDeletion(step)), ...steps.filter(isDeletion)]) {
    try {
      await perform(api, callbackUrl, step, existing, { signal })
    } catch (cause) {
      signal?.throwIfAborted()
      throw new ApplyError(step, cause)
    }
    onStep?.(step)
  }
  const secrets = [...groupSecrets(existing.values())]
  return Object.fromEntries(secrets.map(([topic, list]) => [topic, list.length === 1 ? list.join() : list]))
}

/** Does one step, and keeps account of what there is. */
async function perform(
  { webhooks }: WebhooksApi,
  callbackUrl: string,
  step: PlanStep,
  existing: Map<string, Webhook>,
  options: RequestOptions,
): Promise<void> {
  const changed = await change()
  if (changed) existing.set(changed.id, changed)

  async function change(): Promise<Webhook | undefined> {
    switch (step.action) {
      case 'create': {
        const { topic, name, includeResources } = step
        if ([...existing.values()].some((webhook) => webhook.topic === topic)) return undefined
        return webhooks.create({ topic, callbackUrl, name, includeResources, referenceOrigin: ORIGIN }, options)
      }
      case 'update':
        return webhooks.update(step.webhookId, { includeResources: step.includeResources }, options)
      case 'enable':
        return webhooks.enable(step.webhookId, options)
      case 'reset':
        return webhooks.resetCircuit(step.webhookId, options)
      case 'delete':
        return remove(step.webhookId)
      case 'keep':
        return undefined
    }
  }

  async function remove(id: string): Promise<undefined> {
    const webhook = existing.get(id)
    if (!webhook) return
    if (!isOurs(webhook)) throw new Error('hooklayer did not make it.')
    await webhooks.delete(id, options)
    existing.delete(id)
  }
}
