import type { EmulatedAnswer } from 'hooklayer/emulator'
import { describeClock } from '../terminal/moment.ts'
import { escapeText, paintStatus } from '../terminal/output.ts'

/** What is printed of a request for an external resource. */
export interface AnswerReport {
  readonly type: 'answer'
  /** When it was answered, ISO 8601. */
  readonly time: string
  readonly kind: EmulatedAnswer['kind']
  readonly url: string
  /** 0 if no answer came, or nothing was sent. */
  readonly status: number
  readonly outcome: EmulatedAnswer['outcome']
  readonly durationMs: number
  /** `data` of an answer, or `error` of a refusal. */
  readonly answer: Readonly<Record<string, unknown>> | undefined
  /** What is wrong with the answer. */
  readonly problem: string | undefined
  /** What Commerce Layer does without an answer. */
  readonly fallback: string | undefined
}

export function reportAnswer(answer: EmulatedAnswer, url: string): AnswerReport {
  const { kind, outcome, status = 0, data, error, problem, fallback, durationMs } = answer
  return {
    type: 'answer',
    time: new Date().toISOString(),
    kind,
    url,
    status,
    outcome,
    durationMs: Math.round(durationMs),
    answer: data ?? error,
    problem,
    fallback,
  }
}

const MAX_ANSWER = 200

/** One line: `10:03:04  tax  200 accepted  12 ms  {"tax_rate":0.22}`. */
export function describeAnswer(report: AnswerReport): string {
  const { time, kind, status, outcome, durationMs, answer, problem, fallback } = report
  const isFine = outcome === 'accepted' || outcome === 'refused'
  const words = [describeClock(time), kind, `${paintStatus(status, isFine)} ${outcome}`, `${durationMs} ms`]
  if (answer) words.push(cut(JSON.stringify(answer)))
  const about = [problem, fallback && `Without an answer: ${fallback}`].filter(Boolean).join(' ')
  return `${words.join('  ')}${about && `  ${escapeText(about)}`}`
}

function cut(text: string): string {
  return escapeText(text.length > MAX_ANSWER ? `${text.slice(0, MAX_ANSWER)}…` : text)
}
