import type { EventCallback } from '@commercelayer/sdk'
import { maskText } from 'hooklayer/testing'
import { alignLines } from '../terminal/align-lines.ts'
import { escapeText, type Output } from '../terminal/output.ts'

/** An event callback as it is printed. */
export interface DescribedCall {
  readonly id: string
  readonly createdAt: string
  /** The topic that the webhook has now; absent if it was deleted. */
  readonly topic: string | undefined
  readonly url: string
  readonly responseCode: string | undefined
  readonly responseMessage: string | undefined
  /** Such as `orders/NrlYhpzLKA`. */
  readonly resource: string | undefined
  readonly webhookId: string | undefined
  readonly payload?: unknown
}

export interface ShowDataFlags {
  readonly showData?: boolean
}

/** Leaves the payload out, and masks what the endpoint has answered, unless personal data was asked for. */
export function describeCall(call: EventCallback, { showData = false }: ShowDataFlags): DescribedCall {
  const { id, created_at, webhook, callback_url, response_code, response_message, payload } = call
  return {
    id,
    createdAt: created_at,
    topic: webhook?.topic,
    url: callback_url,
    responseCode: response_code ?? undefined,
    responseMessage: response_message == null ? undefined : showData ? response_message : maskText(response_message),
    resource: payload?.data ? `${payload.data.type}/${payload.data.id}` : undefined,
    webhookId: webhook?.id,
    ...(showData && { payload }),
  }
}

const MAX_ANSWER = 40

export function printCalls(output: Output, calls: readonly DescribedCall[]): void {
  output.table(calls, [
    { title: 'id', read: ({ id }) => id },
    { title: 'time', read: ({ createdAt }) => createdAt },
    { title: 'topic', read: ({ topic }) => topic ?? '(deleted)' },
    { title: 'resource', read: ({ resource }) => resource },
    { title: 'status', align: 'right', read: ({ responseCode }) => responseCode ?? '—' },
    { title: 'answer', read: ({ responseMessage }) => responseMessage?.slice(0, MAX_ANSWER) },
  ])
}

/** A line for each thing that is known of a call. The payload comes as JSON. */
export function formatCall({ payload, ...call }: DescribedCall): string {
  const lines = alignLines([
    ['id', call.id],
    ['time', call.createdAt],
    ['topic', call.topic ?? 'not known: its webhook was deleted'],
    ['resource', call.resource],
    ['url', call.url],
    ['webhook', call.webhookId],
    ['status', call.responseCode ?? 'no answer'],
    ['answer', call.responseMessage],
  ])
  if (payload === undefined) return lines
  const json = JSON.stringify(payload, undefined, 2).split('\n').map(escapeText)
  return [lines, ...json].join('\n')
}
