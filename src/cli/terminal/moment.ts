import { CliError } from '../cli-error.ts'
import { parseDuration } from './duration.ts'

/** Reads a time: so long ago, such as `2h`, or a date as ISO 8601 has it. */
export function parseMoment(text: string, flag: string): Date {
  if (/^\d{4}-\d\d/.test(text)) {
    const date = new Date(text)
    if (!Number.isNaN(date.getTime())) return date
    throw new CliError('USAGE', `${flag}: "${text}" is not a date such as 2026-11-20 or 2026-11-20T14:00:00Z.`)
  }
  try {
    const date = new Date(Date.now() - parseDuration(text))
    if (!Number.isNaN(date.getTime())) return date
  } catch {} // The message of the flag says more.
  throw new CliError(
    'USAGE',
    `${flag} takes a duration such as 90s, 15m, 2h or 3d, or a date such as 2026-11-20T14:00:00Z.`,
  )
}

/** The time of day on this machine: `10:03:04`. */
export function describeClock(time: string): string {
  return new Date(time).toTimeString().slice(0, 8)
}

const STEPS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const

/** Milliseconds as people read them: the largest unit of which there are two or more, such as `90 s` or `26 h`. */
export function describeDuration(ms: number): string {
  const [unit, size] = STEPS.find(([, length]) => ms >= 2 * length) ?? ['s', 1000]
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}
