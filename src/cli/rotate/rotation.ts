import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Webhook } from '@commercelayer/sdk'
import { eventIdOf } from 'hooklayer'
import { isManagementError, type Management } from 'hooklayer/management'
import { CliError } from '../cli-error.ts'
import { type ProbeAnswer, probeReceiver } from '../receiver/probe-receiver.ts'

/** One webhook that is replaced by a second one with a secret of its own. */
export interface Rotation {
  readonly topic: string
  readonly callbackUrl: string
  readonly old: Webhook
  /** The second webhook, as far as an earlier run has made it. */
  readonly next: Webhook | undefined
}

/** The same, once the second webhook is there. */
export type BegunRotation = Rotation & { readonly next: Webhook }

/**
 * Finds the webhook of each topic, and the second one that a run which was stopped has left.
 *
 * @throws CliError if a topic has no webhook at the URL, several, or one that is disabled.
 */
export async function findRotations(
  management: Management,
  topics: readonly string[],
  callbackUrl: string,
  signal: AbortSignal,
): Promise<Rotation[]> {
  const webhooks: Webhook[] = []
  for await (const webhook of management.webhooks.list({ signal })) {
    if (webhook.callback_url === callbackUrl) webhooks.push(webhook)
  }
  return [...new Set(topics)].map((topic) => {
    const ofTopic = webhooks.filter((webhook) => webhook.topic === topic)
    const pairs = ofTopic.flatMap((old) =>
      ofTopic.flatMap((next) => (next.name === nameNext(old) ? { old, next } : [])),
    )
    const [pair] = pairs
    if (pair) return { topic, callbackUrl, ...pair }
    const [old, another] = ofTopic
    if (!old) throw new CliError('USAGE', `No webhook of ${topic} calls ${callbackUrl}.`)
    if (another) {
      const ids = ofTopic.map(({ id }) => id).join(', ')
      throw new CliError('USAGE', `${topic} has several webhooks at ${callbackUrl}: ${ids}. Delete all but one first.`)
    }
    if (old.disabled_at) throw new CliError('USAGE', `The webhook of ${topic} is disabled: enable it first.`)
    return { topic, callbackUrl, old, next: undefined }
  })
}

/** A name is unique, so it also tells a run that was stopped which webhook it has made. */
function nameNext({ topic, callback_url, id }: Webhook): string {
  return `${topic} ${callback_url} replaces ${id}`
}

/**
 * Checks that the receiver tells a right signature from a wrong one, before anything is made.
 *
 * @throws CliError that says what is wrong.
 */
export async function checkReceiver({ topic, callbackUrl, old, next }: Rotation, signal: AbortSignal): Promise<void> {
  const forged = await probeReceiver(callbackUrl, topic, randomBytes(16).toString('hex'), signal)
  if (forged.result === 'unknown') throw new CliError('UNREACHABLE', `${callbackUrl}: ${forged.problem}`)
  if (forged.result === 'accepted') {
    throw new CliError(
      'FOUND_WRONG',
      `${callbackUrl} accepts a wrong signature, so it cannot tell which secrets it has.`,
    )
  }
  if (next) return
  const genuine = await probeReceiver(callbackUrl, topic, old.shared_secret, signal)
  if (genuine.result === 'accepted') return
  throw new CliError('FOUND_WRONG', `${callbackUrl} does not accept the present secret of ${topic}.`)
}

/** Makes the second webhook, disabled, with all that the first one has but its secret. */
export async function createNext(management: Management, old: Webhook, signal: AbortSignal): Promise<Webhook> {
  const { topic, callback_url: callbackUrl, reference, reference_origin, metadata } = old
  const name = nameNext(old)
  try {
    return await management.webhooks.create(
      {
        topic,
        callbackUrl,
        name,
        includeResources: (old.include_resources ?? []).filter((path) => path !== ''),
        reference: reference || undefined,
        referenceOrigin: reference_origin || undefined,
        metadata,
        disabled: true,
      },
      { signal },
    )
  } catch (error) {
    if (!isManagementError(error) || error.code !== 'OUTCOME_UNKNOWN') throw error
    for await (const webhook of management.webhooks.list({ signal })) if (webhook.name === name) return webhook
    throw error
  }
}

export interface WaitOptions {
  /** How many probes in a row must be accepted: there may be many instances behind the URL. */
  readonly probes: number
  /** Milliseconds. */
  readonly timeoutMs: number
  /** Called while something is missing, with what that is. */
  readonly onMissing: (missing: string) => void
  readonly signal: AbortSignal
}

const PROBE_PAUSE_MS = 2000
const RETRY_PAUSE_MS = 5000
const CALL_PAUSE_MS = 500

/**
 * Waits until the receiver has both secrets of a topic.
 *
 * @throws CliError if that takes too long.
 */
export async function waitForSecrets(rotation: BegunRotation, options: WaitOptions): Promise<void> {
  await waitUntil(async () => findMissingSecret(rotation, options), PROBE_PAUSE_MS, options)
}

async function findMissingSecret(
  { topic, callbackUrl, old, next }: BegunRotation,
  { probes, signal }: WaitOptions,
): Promise<Missing | undefined> {
  for (let count = 0; count < probes; count += 1) {
    for (const [which, { shared_secret }] of [['new', next] as const, ['old', old] as const]) {
      const answer = await probeReceiver(callbackUrl, topic, shared_secret, signal)
      if (answer.result !== 'accepted') return { exit: toExit(answer), what: describeMissing(answer, which, topic) }
    }
  }
  return undefined
}

function toExit({ result }: ProbeAnswer): Missing['exit'] {
  return result === 'unknown' ? 'UNREACHABLE' : 'FOUND_WRONG'
}

function describeMissing(answer: ProbeAnswer, which: string, topic: string): string {
  return answer.result === 'unknown' ? answer.problem : `The receiver does not have the ${which} secret of ${topic}.`
}

/**
 * Waits until no delivery of the old webhook waits to be retried: Commerce Layer would drop it with the webhook.
 *
 * @throws CliError if that takes too long.
 */
export async function waitForRetries(
  management: Management,
  rotation: BegunRotation,
  options: WaitOptions,
): Promise<void> {
  const findRetries = async (): Promise<Missing | undefined> => {
    const count = await countRetries(management, rotation, options.signal)
    const subject = count === 1 ? '1 delivery' : `${count} deliveries`
    const what = `${subject} of ${rotation.topic} failed, and may be retried.`
    return count === 0 ? undefined : { exit: 'FOUND_WRONG', what }
  }
  await waitUntil(findRetries, RETRY_PAUSE_MS, options)
}

/** Assumptions, which `hooklayer/management` makes too: how long a call takes, and until when a delivery is retried. */
const UNDER_WAY_MS = 10_000
const LAST_CALL_AFTER_MS = 3_600_000
/** The calls of forty pages. Where more have failed, or more have succeeded since, nothing is certain. */
const MAX_CALLS = 1000

/** Counts the events of failed calls that no other call has delivered. */
async function countRetries(
  { eventCallbacks }: Management,
  { topic, old }: BegunRotation,
  signal: AbortSignal,
): Promise<number> {
  const now = Date.now()
  const range = { webhookId: old.id, since: new Date(now - LAST_CALL_AFTER_MS), signal }
  const failed = new Set<string>()
  let firstAt: string | undefined
  for (const query of [{ outcome: 'failed' }, { outcome: 'pending', until: new Date(now - UNDER_WAY_MS) }] as const) {
    for await (const { payload, created_at } of eventCallbacks.list({ ...range, ...query })) {
      failed.add(await eventIdOf(topic, payload))
      if (firstAt === undefined || created_at < firstAt) firstAt = created_at
      if (failed.size >= MAX_CALLS) return failed.size
    }
  }
  if (failed.size === 0) return 0
  let calls = 0
  for await (const { payload } of eventCallbacks.list({ ...range, outcome: 'succeeded', since: firstAt })) {
    failed.delete(await eventIdOf(topic, payload))
    calls += 1
    if (failed.size === 0 || calls >= MAX_CALLS) break
  }
  return failed.size
}

/**
 * Enables the second webhook and disables the old one. For the moment between, both deliver. An event that comes twice
 * at once is answered 409 the second time, so the moment must not last.
 *
 * @returns the rotation with both as they are now.
 */
export async function switchWebhooks(
  { webhooks }: Management,
  rotation: BegunRotation,
  signal: AbortSignal,
): Promise<BegunRotation> {
  const next = await webhooks.enable(rotation.next.id, { signal })
  const old = await webhooks.disable(rotation.old.id, { signal })
  return { ...rotation, old, next }
}

/**
 * Has the events sent again, to the second webhook, that the old one has not delivered when it was disabled.
 * Commerce Layer neither calls that one any more nor retries.
 *
 * @returns how many there were.
 */
export async function retriggerLost(
  management: Management,
  rotation: BegunRotation,
  signal: AbortSignal,
): Promise<number> {
  const { topic, callbackUrl, old, next } = rotation
  while (await hasCallsUnderWay(management, old, signal)) await pause(CALL_PAUSE_MS, undefined, { signal })
  const enabledAt = Date.parse(next.updated_at)
  const range = { since: new Date(enabledAt - FIRST_CALL_AFTER_MS), until: new Date(enabledAt) }
  const lost: string[] = []
  for await (const { id, last_event_callbacks } of management.events.list({ name: topic, ...range }, { signal })) {
    const isDelivered = last_event_callbacks?.some(
      ({ callback_url, response_code }) => callback_url === callbackUrl && response_code?.startsWith('2'),
    )
    if (!isDelivered) lost.push(id)
  }
  for (const id of lost) await management.events.trigger(id, { signal })
  return lost.length
}

/** An assumption: the first call of an event is made within this time. */
const FIRST_CALL_AFTER_MS = 30_000

async function hasCallsUnderWay(
  { eventCallbacks }: Management,
  { id }: Webhook,
  signal: AbortSignal,
): Promise<boolean> {
  const since = new Date(Date.now() - UNDER_WAY_MS)
  for await (const _ of eventCallbacks.list({ webhookId: id, outcome: 'pending', since, signal })) return true
  return false
}

/** Deletes the old webhook, and gives its name to the one that took its place. */
export async function replaceOld(
  { webhooks }: Management,
  rotation: BegunRotation,
  signal: AbortSignal,
): Promise<void> {
  const { old, next } = rotation
  try {
    await webhooks.delete(old.id, { signal })
  } catch (error) {
    // An attempt whose answer was lost may have deleted it.
    if (!isManagementError(error) || error.code !== 'RECORD_NOT_FOUND') throw error
  }
  if (old.name) await webhooks.update(next.id, { name: old.name }, { signal })
}

interface Missing {
  readonly exit: 'UNREACHABLE' | 'FOUND_WRONG'
  readonly what: string
}

async function waitUntil(
  find: () => Promise<Missing | undefined>,
  pauseMs: number,
  { timeoutMs, onMissing, signal }: WaitOptions,
): Promise<void> {
  const until = performance.now() + timeoutMs
  for (;;) {
    const missing = await find()
    if (!missing) return
    if (performance.now() >= until) throw new CliError(missing.exit, `It took too long. ${missing.what}`)
    onMissing(missing.what)
    await pause(Math.min(pauseMs, Math.max(0, until - performance.now())), undefined, { signal })
  }
}
