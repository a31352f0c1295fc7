import type { Line } from './shop/settings.ts'

/** How long a process that succeeded may take to record it: within that time it may be killed, and leave its event to be repeated. */
const RECORDING_MS = 1000

export interface Repetitions {
  /** Those that no store and no inbox can help: the process was killed between the effect and its record. */
  readonly allowed: number
  /** All others, as text for people. */
  readonly forbidden: readonly string[]
}

/**
 * The effects that came once more, which is allowed only after the process that had the effect before was killed.
 *
 * @param kills when each process that was killed died, by its pid.
 * @param recordedAt when it was known of an event that it is recorded, by its number: from then on it must not begin again.
 */
export function findRepetitions(
  lines: readonly Line[],
  kills: ReadonlyMap<number, number>,
  recordedAt: ReadonlyMap<number, number> = new Map(),
): Repetitions {
  const begun = new Map<string, Line>()
  const before = new Map<number, Line>()
  const forbidden: string[] = []
  let all = 0
  for (const line of lines) {
    const { what, number, pid } = line
    if (what === 'begin') begun.set(`${number} ${pid}`, line)
    if (what !== 'effect') continue
    const last = before.get(number)
    before.set(number, line)
    if (!last) continue
    all += 1
    const death = kills.get(last.pid)
    const began = begun.get(`${number} ${pid}`)?.time ?? line.time
    const told = `Event ${number}: process ${last.pid} at ${last.time}, then ${pid} from ${began} on.`
    if (last.pid === pid) forbidden.push(`${told} It is the same process.`)
    else if (death === undefined || death > began) forbidden.push(`${told} The first was alive.`)
    else if (death - last.time > RECORDING_MS)
      forbidden.push(`${told} The first was killed ${death - last.time} ms later.`)
    else if (began > (recordedAt.get(number) ?? Number.POSITIVE_INFINITY)) forbidden.push(`${told} It was recorded.`)
  }
  return { allowed: all - forbidden.length, forbidden }
}
