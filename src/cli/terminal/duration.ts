import { CliError } from '../cli-error.ts'

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Reads `90s`, `15m`, `2h`, `3d` or `1w` into milliseconds. */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim()) ?? []
  const ms = Math.round(Number(number) * (UNITS[unit] ?? Number.NaN))
  if (Number.isSafeInteger(ms) && ms > 0) return ms
  throw new CliError('USAGE', `"${text}" is not a duration: write 90s, 15m, 2h, 3d or 1w.`)
}
