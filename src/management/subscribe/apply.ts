import type { Webhook } from '@commercelayer/sdk'
import { z } from 'zod'
import { callback, checkSchema, mustBe } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import { cleanText } from '../client/clean-text.ts'
import { signal, url } from '../resources/arguments.ts'
import type { Plan } from './plan.ts'
import { type PlanStep, putDeletionsLast } from './plan-steps.ts'
import { findWebhooks, groupSecrets, isOurs, ORIGIN, type WebhooksApi } from './webhooks-by-url.ts'

export interface ApplyOptions extends RequestOptions {
  /** Called after each step, also after those that change nothing (`keep`). */
  readonly onStep?: ((step: PlanStep) => void) | undefined
}

/** The failure of one step of a plan. The steps before it stay done: plan and apply again for the rest. */
export class ApplyError extends Error {
  override readonly name = 'ApplyError'
  readonly step: PlanStep

  constructor(step: PlanStep, cause: unknown) {
    const why = cause instanceof Error ? ` ${cause.message}` : ''
    super(`Could not ${step.action} the webhook for ${cleanText(step.topic)}.${why}`, { cause })
    this.step = step
  }
}

const ACTIONS = ['create', 'update', 'enable', 'reset', 'delete', 'keep'] as const satisfies PlanStep['action'][]

/** A plan may come from a file. The call that a step makes checks the other members of the step. */
const PLAN = z.object({
  callbackUrl: url,
  steps: z.array(z.looseObject({ action: z.enum(ACTIONS), topic: z.string() }), mustBe('a list of steps')),
})

const OPTIONS = z.strictObject({
  signal: signal.optional(),
  onStep: callback().optional(),
})

/** Implements `management.apply`. */
export async function applyPlan(
  api: WebhooksApi,
  plan: Plan,
  options: ApplyOptions = {},
): Promise<Record<string, string | string[]>> {
  checkSchema('apply: plan', PLAN, plan)
  checkSchema('apply', OPTIONS, options)
  const { callbackUrl, steps } = plan
  const { signal, onStep } = options
  const { webhooks } = await findWebhooks(api, callbackUrl, { signal })
  const existing = new Map(webhooks.map((webhook) => [webhook.id, webhook]))
  for (const step of putDeletionsLast(steps)) {
    try {
      await applyStep(api, callbackUrl, step, existing, { signal })
    } catch (cause) {
      signal?.throwIfAborted()
      throw new ApplyError(step, cause)
    }
    onStep?.(step)
  }
  const secrets = [...groupSecrets(existing.values())]
  return Object.fromEntries(secrets.map(([topic, list]) => [topic, list.length === 1 ? list.join() : list]))
}

/** Does one step, and keeps `existing` up to date. */
async function applyStep(
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
        return deleteOurs(step.webhookId)
      case 'keep':
        return undefined
    }
  }

  async function deleteOurs(id: string): Promise<undefined> {
    const webhook = existing.get(id)
    if (!webhook) return
    if (!isOurs(webhook)) throw new Error('hooklayer did not create it.')
    await webhooks.delete(id, options)
    existing.delete(id)
  }
}
