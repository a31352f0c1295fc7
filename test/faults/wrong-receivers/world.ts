import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The effects of an order: a mail to the customer and an update of the ERP. Both are outside of the shop's processes.
 */
export const EFFECTS = ['mail', 'erp'] as const
export type Effect = (typeof EFFECTS)[number]

/** How the system behind an effect behaves: it is slow, it fails, or the caller is killed after the effect. */
type Behavior = 'slow' | 'down' | 'deadly'

interface Line {
  readonly effect: Effect
  readonly order: string
  readonly key: string
}

/**
 * Applies an effect for an order, which is a line in a file. Called by the receivers.
 *
 * @param key the idempotency key.
 * @throws Error if the system is down.
 */
export async function applyEffect(effect: Effect, order: string, key: string): Promise<void> {
  const folder = process.env.WORLD ?? ''
  const line = `${JSON.stringify({ effect, order, key } satisfies Line)}\n`
  const is = (behavior: Behavior) => existsSync(join(folder, `${effect} is ${behavior}`))
  appendFileSync(join(folder, 'asked'), line)
  while (is('slow')) await sleep(5)
  if (is('down')) throw new Error(`The ${effect} does not answer.`)
  appendFileSync(join(folder, 'done'), line)
  if (is('deadly')) process.kill(process.pid, 'SIGKILL')
}

/** The systems outside of the receivers, as a probe sees them. */
export interface World {
  readonly folder: string
  setBehavior(effect: Effect, behavior: Behavior): void
  /** Restores the default: fast, up and harmless. */
  reset(effect: Effect): void
  /** How often an effect was requested, successful or not. */
  countRequests(effect: Effect, order: string): number
  /** How often the effect was applied. */
  countRuns(effect: Effect, order: string): number
  /** How often it was applied with different idempotency keys. */
  countDistinctRuns(effect: Effect, order: string): number
}

/** @param folder an empty folder, which the receivers get as the environment variable `WORLD`. */
export function createWorld(folder: string): World {
  for (const file of ['asked', 'done']) writeFileSync(join(folder, file), '')
  const lines = (file: 'asked' | 'done', effect: Effect, order: string) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line): Line => JSON.parse(line))
      .filter((line) => line.effect === effect && line.order === order)
  return {
    folder,
    setBehavior: (effect, behavior) => writeFileSync(join(folder, `${effect} is ${behavior}`), ''),
    reset(effect) {
      for (const behavior of ['slow', 'down', 'deadly'])
        rmSync(join(folder, `${effect} is ${behavior}`), { force: true })
    },
    countRequests: (...what) => lines('asked', ...what).length,
    countRuns: (...what) => lines('done', ...what).length,
    countDistinctRuns: (...what) => new Set(lines('done', ...what).map(({ key }) => key)).size,
  }
}
