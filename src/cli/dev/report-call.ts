import type { EmulatedCall } from 'hooklayer/emulator'
import { readWord } from '../receiver/read-answer.ts'
import { describeClock } from '../terminal/moment.ts'
import { escapeText, paintStatus } from '../terminal/output.ts'
import { explainRefusal, type GivenSecrets } from './explain-refusal.ts'
import { nameFault } from './faults.ts'

/** What is printed of a call to a webhook. */
export interface CallReport {
  readonly type: 'delivery'
  /** When the call ended, ISO 8601. */
  readonly time: string
  readonly topic: string
  readonly url: string
  /** 0 if no answer came. */
  readonly status: number
  /** The code or the outcome of a receiver of ours, or else the reason phrase. */
  readonly answer: string
  readonly durationMs: number
  readonly reason: string | undefined
  /** The fault that caused the call, if one did. */
  readonly fault: string | undefined
}

export async function reportCall(call: EmulatedCall, given: GivenSecrets): Promise<CallReport> {
  const { updated_at, callback_url, response_code, response_message, metadata } = call.eventCallback
  return {
    type: 'delivery',
    time: updated_at,
    topic: call.topic,
    url: callback_url,
    status: Number(response_code ?? 0),
    answer: readWord(call.answer) ?? response_message ?? '',
    durationMs: Math.round(call.durationMs),
    reason: await explainRefusal(call, given),
    fault: typeof metadata.fault === 'string' ? nameFault(metadata.fault) : undefined,
  }
}

/** One line: `10:03:04  orders.place  200 handled  12 ms`. */
export function describeCall({ time, topic, status, answer, durationMs, reason, fault }: CallReport): string {
  const about = [fault && `fault: ${fault}`, reason].filter(Boolean).join('. ')
  const words = [describeClock(time), topic, `${paintStatus(status)} ${escapeText(answer)}`, `${durationMs} ms`]
  return `${words.join('  ')}${about && `  ${escapeText(about)}`}`
}
