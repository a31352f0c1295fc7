import type { Line } from './shop/settings.ts'

/** How long a process may take to record an effect. If it is killed within this time, the event may be repeated. */
const RECORDING_MS = 1000

export interface Repetitions {
  /** Repetitions after a kill between the effect and its record, which no store can prevent. */
  readonly allowed: number
  /** All others, described. */
  readonly forbidden: readonly string[]
}

/**
 * Finds repeated effects. A repetition is allowed only if the process of the earlier effect was killed.
 *
 * @param kills when each process was killed, by its pid.
 * @param recordedAt when each event was known to be recorded, by its number. After that it must not start again.
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
    const killedAt = kills.get(last.pid)
    const began = begun.get(`${number} ${pid}`)?.time ?? line.time
    const event = `Event ${number}: process ${last.pid} at ${last.time}, then ${pid} from ${began} on.`
    if (last.pid === pid) forbidden.push(`${event} It is the same process.`)
    else if (killedAt === undefined || killedAt > began) forbidden.push(`${event} The first was alive.`)
    else if (killedAt - last.time > RECORDING_MS)
      forbidden.push(`${event} The first was killed ${killedAt - last.time} ms later.`)
    else if (began > (recordedAt.get(number) ?? Number.POSITIVE_INFINITY)) forbidden.push(`${event} It was recorded.`)
  }
  return { allowed: all - forbidden.length, forbidden }
}
