import type { Webhook } from '@commercelayer/sdk'
import { z } from 'zod'
import { isSubscribed } from '../../commerce-layer/topic-patterns.ts'
import type { Receiver, Subscription } from '../../index.ts'
import type { RequestOptions } from '../client/abort.ts'
import { checkArguments, signal, url } from '../resources/arguments.ts'
import { subscriptionNotes, wantedIncludes, wantedTopics } from './wanted-topics.ts'
import { isOurs, type WebhooksApi } from './webhooks-by-url.ts'

export interface PlanOptions extends RequestOptions {
  /** Where the receiver answers, exactly as the webhooks have it or shall have it: https, or http on a loopback host. */
  readonly callbackUrl: string
}

/**
 * What it takes for the webhooks of a URL to be what the receiver's handlers ask for. Plain data, to be printed
 * ({@link describePlan}), stored or compared; there are no secrets in it.
 */
export interface Plan {
  readonly callbackUrl: string
  /** In the order in which `apply` does them; a webhook may have several. */
  readonly steps: readonly PlanStep[]
  /** What else is to be known, a sentence each: handlers that lead to no webhook, events that come twice. */
  readonly notes: readonly string[]
}

export type PlanStep = CreateStep | UpdateStep | OtherStep

interface Step {
  readonly topic: string
  /** Why, in a few sentences. */
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
  /** All that it will include, not only what is new. */
  readonly includeResources: readonly string[]
}

interface OtherStep extends Step {
  /** `reset`: closes its circuit. `keep`: nothing is done to it. */
  readonly action: 'enable' | 'reset' | 'delete' | 'keep'
  readonly webhookId: string
}

const OPTIONS = z.strictObject({ callbackUrl: url, signal: signal.optional() })

/**
 * Compares the topics that have handlers with the webhooks that call `callbackUrl`, and changes nothing.
 *
 * A webhook is wanted for each topic that a handler names (`orders.*`: each of the catalogue's; `*` by itself: none), with
 * what all handlers of the topic include; a `*.destroy` includes nothing. Webhooks that hooklayer made (`reference_origin`
 * `hooklayer`) become exactly that, and are deleted when no handler names their topic any more, or when another serves it.
 * Those that somebody else made are used rather than doubled: they gain what they lack, are enabled if there is no other
 * for their topic, and are never deleted nor deprived of anything. Webhooks of other URLs are none of its business.
 *
 * @throws TypeError if `callbackUrl` is not usable; ManagementError.
 */
export async function plan(
  api: WebhooksApi,
  receiver: Pick<Receiver, 'subscriptions'>,
  options: PlanOptions,
): Promise<Plan> {
  const { callbackUrl, signal } = checkArguments('plan', OPTIONS, options)
  const subscriptions = receiver.subscriptions()
  const names = new Set<unknown>()
  const webhooks: Webhook[] = []
  for await (const webhook of api.webhooks.list({ signal })) {
    names.add(webhook.name)
    if (webhook.callback_url === callbackUrl) webhooks.push(webhook)
  }
  const named = wantedTopics(subscriptions)
  const topics = [...new Set([...named, ...webhooks.map(({ topic }) => topic)])].sort().map((topic) => {
    const candidates = webhooks.filter((webhook) => webhook.topic === topic)
    const serving = findServing(candidates, named.has(topic), isSubscribed(subscriptions, topic))
    return { topic, serving, left: candidates.filter((webhook) => !serving.includes(webhook)) }
  })
  const steps = topics.flatMap(({ topic, serving, left }): PlanStep[] => {
    const includes = wantedIncludes(topic, subscriptions)
    const isMissing = named.has(topic) && serving.length === 0
    return [
      ...(isMissing ? [createStep(topic, freeName(`${topic} ${callbackUrl}`, names), includes)] : []),
      ...serving.flatMap((webhook) => stepsFor(webhook, includes)),
      ...left.map((webhook) => stepForUnneeded(webhook, serving, subscriptions)),
    ]
  })
  const isDeletion = ({ action }: PlanStep) => action === 'delete'
  return {
    callbackUrl,
    // Nothing is taken away before what takes its place is there.
    steps: [...steps.filter((step) => !isDeletion(step)), ...steps.filter(isDeletion)],
    notes: [
      ...subscriptionNotes(subscriptions),
      ...topics.filter(({ serving }) => serving.length > 1).map(describeDoubled),
    ],
  }
}

/** The plan as text: one line a step, then one a note. */
export function describePlan({ steps, notes }: Plan): string {
  const width = Math.max(0, ...steps.map(({ topic }) => topic.length))
  const lines = steps.map((step) => {
    const includes = 'includeResources' in step ? ` Includes: ${step.includeResources.join(', ') || 'nothing'}.` : ''
    const id = 'webhookId' in step ? `${step.webhookId}  ` : ''
    return `${step.action.padEnd(6)}  ${step.topic.padEnd(width)}  ${id}${step.reason}${includes}`
  })
  return [...lines, ...notes.map((one) => `note    ${one}`)].join('\n')
}

/**
 * Those of a topic's webhooks that shall deliver: all of others that are enabled, for they deliver anyhow, else one of ours,
 * else one that somebody has disabled.
 */
function findServing(candidates: readonly Webhook[], isNamed: boolean, isListenedTo: boolean): readonly Webhook[] {
  const delivering = candidates.filter((webhook) => !isOurs(webhook) && !webhook.disabled_at)
  if (delivering.length > 0 || !isNamed) return isListenedTo ? delivering : []
  return [...candidates].sort(byPreference).slice(0, 1)
}

function describeDoubled({ topic, serving }: { readonly topic: string; readonly serving: readonly Webhook[] }): string {
  return `${topic} has ${serving.length} webhooks that hooklayer did not make: each event comes as many times.`
}

function byPreference(one: Webhook, other: Webhook): number {
  const rank = (webhook: Webhook) => (isOurs(webhook) ? 0 : 2) + (webhook.disabled_at ? 1 : 0)
  return rank(one) - rank(other) || (one.created_at < other.created_at ? -1 : 1)
}

function createStep(topic: string, name: string, includeResources: readonly string[]): CreateStep {
  return { action: 'create', topic, name, includeResources, reason: 'No webhook subscribes to it.' }
}

/** A topic and a URL are one name, unless somebody has moved a webhook of that name elsewhere. */
function freeName(name: string, taken: ReadonlySet<unknown>): string {
  let free = name
  for (let number = 2; taken.has(free); number++) free = `${name} ${number}`
  return free
}

function stepsFor(webhook: Webhook, wanted: readonly string[]): PlanStep[] {
  const { id: webhookId, topic } = webhook
  const had = webhook.include_resources ?? []
  const missing = wanted.filter((path) => !had.includes(path))
  const surplus = isOurs(webhook) ? had.filter((path) => !wanted.includes(path)) : []
  const steps: PlanStep[] = []
  if (missing.length + surplus.length > 0) {
    const includeResources = isOurs(webhook) ? wanted : [...had, ...missing]
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
  return steps.length > 0 ? steps : [{ action: 'keep', topic, webhookId, reason: 'It is as it should be.' }]
}

/** What becomes of a webhook that is not needed. */
function stepForUnneeded(
  webhook: Webhook,
  serving: readonly Webhook[],
  subscriptions: readonly Subscription[],
): PlanStep {
  const { id: webhookId, topic } = webhook
  const unneeded = serving.length > 0 ? 'Another webhook serves the topic.' : 'No handler names the topic.'
  if (isOurs(webhook)) return { action: 'delete', topic, webhookId, reason: unneeded }
  const why = isSubscribed(subscriptions, topic) ? 'It is disabled' : 'No handler listens to it'
  return { action: 'keep', topic, webhookId, reason: `${why}, but hooklayer did not make it.` }
}
