import { type EmulatedCircuit, type HolderRecord, listCircuits } from './holders/holders.ts'
import type { EventCallbackRecord, WebhookRecord } from './records.ts'
import type { EndedCall } from './sender/call.ts'

/** A webhook with the attributes of the API, including `shared_secret`. */
export type EmulatedWebhook = Readonly<WebhookRecord>

/** An event callback with the attributes of the API, including its webhook. */
export type EmulatedEventCallback = Readonly<Omit<EventCallbackRecord, 'event'>>

/** One call to a webhook, as `onCall` of the options gets it. */
export interface EmulatedCall {
  /** The record of the call. `metadata.fault` names the fault that caused it, if one did. */
  readonly eventCallback: EmulatedEventCallback
  /** The header `X-CommerceLayer-Topic`. The fault `wrongTopic` makes it another one than that of the webhook. */
  readonly topic: string
  /** The header `X-CommerceLayer-Signature`. */
  readonly signature: string
  readonly body: Uint8Array
  /** The beginning of the body of the answer, up to 2,000 characters. It is empty if no answer came. */
  readonly answer: string
  /** From the start of the call to the end of the answer, in milliseconds. */
  readonly durationMs: number
}

/** The holder of an external resource: a market, shipping method, promotion or tax calculator. */
export interface EmulatedHolder extends Readonly<Omit<HolderRecord, 'circuits'>> {
  /** Of a market: those of the line items or orders that it has asked about. The others have one of their own only. */
  readonly circuits: readonly EmulatedCircuit[]
}

export function copyWebhook(webhook: WebhookRecord): EmulatedWebhook {
  return structuredClone(webhook)
}

/** The payload is not copied: payloads are large, there may be many, and nothing writes to them. */
export function copyEventCallback({ event, webhook, payload, ...others }: EventCallbackRecord): EmulatedEventCallback {
  return { ...structuredClone(others), payload, webhook: copyWebhook(webhook) }
}

export function toEmulatedCall({ record, delivery, answer, durationMs }: EndedCall): EmulatedCall {
  const { topic, signature, payload } = delivery
  const eventCallback = copyEventCallback(record)
  return { eventCallback, topic, signature, body: payload.body, answer: answer.text, durationMs }
}

export function copyHolder(record: HolderRecord): EmulatedHolder {
  const { circuits, ...holder } = record
  return { ...structuredClone(holder), circuits: listCircuits(record) }
}
