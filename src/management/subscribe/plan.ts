import type { Webhook } from '@commercelayer/sdk'
import { z } from 'zod'
import { isSubscribed } from '../../commerce-layer/topic-patterns.ts'
import type { Receiver } from '../../index.ts'
import { checkSchema, mustBe } from '../../schema/check-schema.ts'
import type { RequestOptions } from '../client/abort.ts'
import { cleanText } from '../client/clean-text.ts'
import { signal, url } from '../resources/arguments.ts'
import { type PlanStep, planCreation, planServing, planUnneeded, putDeletionsLast } from './plan-steps.ts'
import { checkIncludes, collectIncludes, collectTopics, describeUnsubscribed } from './wanted-topics.ts'
import { findWebhooks, isOurs, type WebhooksApi } from './webhooks-by-url.ts'

export interface PlanOptions extends RequestOptions {
  /** The receiver's URL, exactly as the webhooks have it or shall have it: https, or http on a loopback host. */
  readonly callbackUrl: string
  /**
   * What to do about an `include` that no resource of its topics has, by the SDK's schema. `allow` is for a relationship
   * that is newer than the SDK. Default: `refuse`, a `TypeError`.
   */
  readonly unknownIncludes?: 'refuse' | 'allow' | undefined
}

/**
 * The steps that make the webhooks of a URL match the receiver's handlers. It is plain JSON data without secrets, which
 * can be printed ({@link describePlan}), stored and compared.
 */
export interface Plan {
  readonly callbackUrl: string
  /** In the order in which `apply` does them. A webhook may have several. */
  readonly steps: readonly PlanStep[]
  /** Warnings, one sentence each: handlers that lead to no webhook, events that are delivered twice. */
  readonly notes: readonly string[]
}

const OPTIONS = z.strictObject({
  callbackUrl: url,
  unknownIncludes: z.enum(['refuse', 'allow'], mustBe('refuse or allow')).optional(),
  signal: signal.optional(),
})

/** Implements `management.plan`. */
export async function createPlan(
  api: WebhooksApi,
  receiver: Pick<Receiver, 'subscriptions'>,
  options: PlanOptions,
): Promise<Plan> {
  const { callbackUrl, unknownIncludes = 'refuse', signal } = checkSchema('plan', OPTIONS, options)
  const subscriptions = receiver.subscriptions()
  if (unknownIncludes === 'refuse') checkIncludes(subscriptions)
  const { webhooks, names } = await findWebhooks(api, callbackUrl, { signal })
  const wanted = collectTopics(subscriptions)
  const topics = [...new Set([...wanted, ...webhooks.map(({ topic }) => topic)])].sort().map((topic) => {
    const candidates = webhooks.filter((webhook) => webhook.topic === topic)
    const hasHandler = isSubscribed(subscriptions, topic)
    const serving = chooseServing(candidates, wanted.has(topic), hasHandler)
    return { topic, hasHandler, serving, unneeded: candidates.filter((webhook) => !serving.includes(webhook)) }
  })
  const steps = topics.flatMap(({ topic, hasHandler, serving, unneeded }): PlanStep[] => {
    const includes = collectIncludes(topic, subscriptions)
    const isMissing = wanted.has(topic) && serving.length === 0
    return [
      ...(isMissing ? [planCreation(topic, findFreeName(`${topic} ${callbackUrl}`, names), includes)] : []),
      ...serving.flatMap((webhook) => planServing(webhook, includes)),
      ...unneeded.map((webhook) => planUnneeded(webhook, serving.length > 0, hasHandler)),
    ]
  })
  const duplicates = topics.filter(({ serving }) => serving.length > 1)
  return {
    callbackUrl,
    steps: putDeletionsLast(steps),
    notes: [...describeUnsubscribed(subscriptions), ...duplicates.map(describeDuplicate)],
  }
}

/**
 * Formats a plan as text: one line for each step, then one for each note.
 *
 * @example
 * console.log(describePlan(plan)) // create  orders.place  No webhook subscribes to it. Includes: customer, line_items.
 */
export function describePlan({ steps, notes }: Plan): string {
  const width = Math.max(0, ...steps.map(({ topic }) => topic.length))
  const lines = steps.map((step) => {
    const includes = 'includeResources' in step ? ` Includes: ${step.includeResources.join(', ') || 'nothing'}.` : ''
    const id = 'webhookId' in step ? `${step.webhookId}  ` : ''
    return `${step.action.padEnd(6)}  ${step.topic.padEnd(width)}  ${id}${step.reason}${includes}`
  })
  // The topics, ids and includes of webhooks are what the API says.
  return [...lines, ...notes.map((note) => `note    ${note}`)]
    .map((line) => cleanText(line, Number.POSITIVE_INFINITY))
    .join('\n')
}

/**
 * Chooses the webhooks of a topic that shall deliver. If somebody else has enabled ones, these are all used, because
 * they deliver anyway. Otherwise it is one of ours, and if there is none, one that somebody has disabled.
 */
function chooseServing(candidates: readonly Webhook[], isWanted: boolean, hasHandler: boolean): readonly Webhook[] {
  const delivering = candidates.filter((webhook) => !isOurs(webhook) && !webhook.disabled_at)
  if (delivering.length > 0 || !isWanted) return hasHandler ? delivering : []
  return [...candidates].sort(byPreference).slice(0, 1)
}

function byPreference(one: Webhook, other: Webhook): number {
  const rank = (webhook: Webhook) => (isOurs(webhook) ? 0 : 2) + (webhook.disabled_at ? 1 : 0)
  return rank(one) - rank(other) || (one.created_at < other.created_at ? -1 : 1)
}

/** A topic and a URL make a unique name, unless somebody has given the webhook of that name another URL. */
function findFreeName(name: string, taken: ReadonlySet<unknown>): string {
  let free = name
  for (let number = 2; taken.has(free); number++) free = `${name} ${number}`
  return free
}

function describeDuplicate({
  topic,
  serving,
}: {
  readonly topic: string
  readonly serving: readonly Webhook[]
}): string {
  const count = serving.length
  return `${topic} has ${count} webhooks that hooklayer did not create: each event is delivered ${count} times.`
}
