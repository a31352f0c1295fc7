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
  /** `data` of an answer, `error` of a refusal, or else the beginning of the text on one line. */
  readonly answer: Readonly<Record<string, unknown>> | string | undefined
  /** What is wrong with the answer, or why there was none. */
  readonly problem: string | undefined
  /** What Commerce Layer does without an answer. */
  readonly fallback: string | undefined
}

/** How much of an answer is printed. The page of the dashboard has the whole of it. */
const MAX_LENGTH = 200

export function reportAnswer(answer: EmulatedAnswer, url: string): AnswerReport {
  const { kind, outcome, status = 0, data, error, text, fallback, durationMs } = answer
  return {
    type: 'answer',
    time: new Date().toISOString(),
    kind,
    url,
    status,
    outcome,
    durationMs: Math.round(durationMs),
    answer: data ?? error ?? (text.slice(0, MAX_LENGTH).replaceAll(/\s+/g, ' ').trim() || undefined),
    problem: findProblem(answer),
    fallback,
  }
}

function findProblem({ outcome, problem, status }: EmulatedAnswer): string | undefined {
  if (outcome === 'skipped') return 'The circuit is open, so nothing is asked any more.'
  return problem ?? (status !== undefined && status >= 500 ? 'The server failed. Its log says why.' : undefined)
}

/** One line: `10:03:04  tax  200 accepted  12 ms  {"tax_rate":0.22}`. */
export function describeAnswer(report: AnswerReport): string {
  const { time, kind, status, outcome, durationMs, answer, problem, fallback } = report
  const isFine = outcome === 'accepted' || outcome === 'refused'
  const words = [describeClock(time), kind, `${paintStatus(status, isFine)} ${outcome}`, `${durationMs} ms`]
  if (answer) words.push(cut(typeof answer === 'string' ? answer : JSON.stringify(answer)))
  const about = [problem, fallback && `Without an answer: ${fallback}`].filter(Boolean).join(' ')
  return `${words.join('  ')}${about && `  ${escapeText(about)}`}`
}

function cut(text: string): string {
  return escapeText(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text)
}
