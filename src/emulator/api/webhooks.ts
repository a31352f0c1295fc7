import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { eventsOf, resourceOf } from '../../commerce-layer/topics.ts'
import { randomId } from '../../wire/samples/ids.ts'
import { findUnknownStep } from '../../wire/unknown-step.ts'
import type { Records, WebhookRecord } from '../records.ts'
import { flag, MAX_TEXT_LENGTH, required, SHARED_CHECKS, text } from './checks.ts'
import { ApiError, createAttributeError, refuse } from './errors.ts'

/** An assumption: the longest URL that common clients send. */
const MAX_URL_LENGTH = 2048

/**
 * The checks of a new webhook. These rules are assumed, because the documentation does not give them: the topic is in
 * the catalog, and the URL is an HTTP or HTTPS URL, which may be local. `include_resources` has relationships that the
 * SDK knows, and their number and length are limited: each trigger makes a resource for each of them.
 */
export const WEBHOOK_CREATE = z.strictObject({
  name: text,
  topic: required.refine(isTopic, 'inclusion'),
  callback_url: required.max(MAX_URL_LENGTH, 'too_long').refine(isCallable, 'invalid'),
  include_resources: z
    .array(z.string('invalid').max(MAX_TEXT_LENGTH, 'invalid'), 'invalid')
    .max(100, 'invalid')
    .nullish(),
  ...SHARED_CHECKS,
  _disable: flag,
  _enable: flag,
})

export const WEBHOOK_UPDATE = WEBHOOK_CREATE.partial().extend({ _reset_circuit: flag })

type WebhookCreate = z.infer<typeof WEBHOOK_CREATE>
type WebhookUpdate = z.infer<typeof WEBHOOK_UPDATE>

/** `URL` would escape spaces and control characters. They are refused, because URLs are printed as they are given. */
function isCallable(url: string): boolean {
  return /^[^\s\p{Cc}]+$/u.test(url) && z.url({ protocol: /^https?$/ }).safeParse(url).success
}

/** The maximum number of webhooks, which bounds the memory. An assumption. */
const MAX_WEBHOOKS = 1000

/** Creates a webhook, with its own secret unless one is given. The default name is `{organization}-{topic}`. */
export function createWebhook(
  records: Records,
  organization: string,
  attributes: WebhookCreate,
  secret = randomBytes(16).toString('hex'),
): WebhookRecord {
  if (records.webhooks.size >= MAX_WEBHOOKS) {
    throw refuse('BAD_REQUEST', `The emulator keeps up to ${MAX_WEBHOOKS} webhooks.`)
  }
  const now = new Date().toISOString()
  const webhook: WebhookRecord = {
    id: randomId(),
    type: 'webhooks',
    name: attributes.name || `${organization}-${attributes.topic}`,
    topic: attributes.topic,
    callback_url: attributes.callback_url,
    include_resources: attributes.include_resources ?? null,
    disabled_at: attributes._disable && !attributes._enable ? now : null,
    circuit_state: 'closed',
    circuit_failure_count: 0,
    shared_secret: secret,
    created_at: now,
    updated_at: now,
    reference: attributes.reference ?? null,
    reference_origin: attributes.reference_origin ?? null,
    metadata: attributes.metadata ?? {},
  }
  checkName(records, webhook.name, webhook)
  checkIncludes(webhook)
  records.webhooks.set(webhook.id, webhook)
  return webhook
}

/** Changes a webhook in place, because pending calls refer to it. */
export function updateWebhook(
  records: Records,
  organization: string,
  webhook: WebhookRecord,
  attributes: WebhookUpdate,
): void {
  const { _disable, _enable, _reset_circuit, name, metadata, ...others } = attributes
  const now = new Date().toISOString()
  const topic = others.topic ?? webhook.topic
  const changes = {
    ...others,
    ...(name !== undefined && { name: name || `${organization}-${topic}` }),
    ...(metadata !== undefined && { metadata: metadata ?? {} }),
    ...(_disable && { disabled_at: webhook.disabled_at ?? now }),
    ...(_enable && { disabled_at: null }),
    ...(_reset_circuit && { circuit_state: 'closed', circuit_failure_count: 0 }),
  }
  checkName(records, changes.name ?? webhook.name, webhook)
  const { include_resources = webhook.include_resources } = others
  checkIncludes({ topic, include_resources })
  Object.assign(webhook, changes, { updated_at: now })
}

function checkName({ webhooks }: Records, name: string, webhook: WebhookRecord): void {
  for (const other of webhooks.values()) {
    if (other !== webhook && other.name === name) throw new ApiError(createAttributeError('name', 'taken', name))
  }
}

/** A typing error would be refused by each receiver that needs the relationship. */
function checkIncludes({ topic, include_resources }: Pick<WebhookRecord, 'topic' | 'include_resources'>): void {
  const isUnknown = (path: string) => path !== '' && findUnknownStep(topic, path) !== undefined
  if (!include_resources?.some(isUnknown)) return
  throw new ApiError(createAttributeError('include_resources', 'invalid', include_resources))
}

/** Topics of the documentation of 2021, which the catalog of today lacks. */
const FORMER_TOPICS = ['shipments.create', 'shipments.destroy']

/** Whether a topic is in the catalog, or was. */
export function isTopic(topic: string): boolean {
  if (FORMER_TOPICS.includes(topic)) return true
  const resource = resourceOf(topic)
  return eventsOf(resource)?.includes(topic.slice(resource.length + 1)) ?? false
}
