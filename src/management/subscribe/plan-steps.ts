import type { Webhook } from '@commercelayer/sdk'
import { isOurs } from './webhooks-by-url.ts'

/** One change to a webhook, or the note that a webhook stays as it is. */
export type PlanStep = CreateStep | UpdateStep | OtherStep

interface Step {
  readonly topic: string
  /** Why, in one or two sentences. */
  readonly reason: string
}

interface CreateStep extends Step {
  readonly action: 'create'
  /** Unique in the organization. */
  readonly name: string
  readonly includeResources: readonly string[]
}

interface UpdateStep extends Step {
  readonly action: 'update'
  readonly webhookId: string
  /** All paths that the webhook will include, not only the new ones. */
  readonly includeResources: readonly string[]
}

interface OtherStep extends Step {
  /** `reset` closes the circuit. `keep` changes nothing. */
  readonly action: 'enable' | 'reset' | 'delete' | 'keep'
  readonly webhookId: string
}

export function planCreation(topic: string, name: string, includeResources: readonly string[]): PlanStep {
  return { action: 'create', topic, name, includeResources, reason: 'No webhook subscribes to it.' }
}

/** Plans the steps that make a webhook deliver, with the paths that the handlers include. */
export function planServing(webhook: Webhook, wanted: readonly string[]): PlanStep[] {
  const { id: webhookId, topic } = webhook
  // The dashboard saves a webhook without includes as `['']`.
  const included = (webhook.include_resources ?? []).filter((path) => path !== '')
  const missing = wanted.filter((path) => !included.includes(path))
  const surplus = isOurs(webhook) ? included.filter((path) => !wanted.includes(path)) : []
  const steps: PlanStep[] = []
  if (missing.length + surplus.length > 0) {
    const includeResources = isOurs(webhook) ? wanted : [...included, ...missing]
    const reason = [
      ...(missing.length > 0 ? [`It lacks ${missing.join(', ')}.`] : []),
      ...(surplus.length > 0 ? [`No handler needs ${surplus.join(', ')}.`] : []),
    ].join(' ')
    steps.push({ action: 'update', topic, webhookId, includeResources, reason })
  }
  if (webhook.disabled_at) steps.push({ action: 'enable', topic, webhookId, reason: 'It is disabled.' })
  if (webhook.circuit_state === 'open') {
    steps.push({ action: 'reset', topic, webhookId, reason: 'Its circuit is open: nothing is delivered.' })
  }
  return steps.length > 0 ? steps : [{ action: 'keep', topic, webhookId, reason: 'It needs no change.' }]
}

/** Plans the step for a webhook that is not needed. */
export function planUnneeded(webhook: Webhook, isServed: boolean, hasHandler: boolean): PlanStep {
  const { id: webhookId, topic } = webhook
  if (isOurs(webhook)) {
    const reason = isServed ? 'Another webhook serves the topic.' : 'No handler names the topic.'
    return { action: 'delete', topic, webhookId, reason }
  }
  const why = hasHandler ? 'It is disabled.' : 'No handler listens to it.'
  return { action: 'keep', topic, webhookId, reason: `${why} hooklayer did not create it.` }
}

/** Puts deletions last: nothing is deleted before its replacement is there. */
export function putDeletionsLast(steps: readonly PlanStep[]): PlanStep[] {
  const isDeletion = ({ action }: PlanStep) => action === 'delete'
  return [...steps.filter((step) => !isDeletion(step)), ...steps.filter(isDeletion)]
}
