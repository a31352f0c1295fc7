import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a shop does for an order: it writes to the customer and tells its ERP, which are not the shop's own processes. */
export const EFFECTS = ['mail', 'erp'] as const
export type Effect = (typeof EFFECTS)[number]

/** How the other side of an effect behaves: it keeps one waiting, it fails, or one does not live to hear that it succeeded. */
type Mood = 'slow' | 'down' | 'deadly'

interface Line {
  readonly effect: Effect
  readonly order: string
  readonly key: string
}

/**
 * Has an effect for an order, which is a line in a file. Called by the receivers.
 *
 * @param key by which the other side knows that it has done the same before.
 * @throws Error if the other side is down.
 */
export async function have(effect: Effect, order: string, key: string): Promise<void> {
  const folder = process.env.WORLD ?? ''
  const line = `${JSON.stringify({ effect, order, key } satisfies Line)}\n`
  const is = (mood: Mood) => existsSync(join(folder, `${effect} is ${mood}`))
  appendFileSync(join(folder, 'asked'), line)
  while (is('slow')) await sleep(5)
  if (is('down')) throw new Error(`The ${effect} does not answer.`)
  appendFileSync(join(folder, 'done'), line)
  if (is('deadly')) process.kill(process.pid, 'SIGKILL')
}

/** What is outside of the receivers, as a probe sees it. */
export interface World {
  readonly folder: string
  make(effect: Effect, mood: Mood): void
  /** As it is by default: quick, up and harmless. */
  mend(effect: Effect): void
  /** How often it was asked for an effect, granted or not. */
  asked(effect: Effect, order: string): number
  /** How often somebody had it. */
  runs(effect: Effect, order: string): number
  /** How often it took place: with the same key it does so once. */
  took(effect: Effect, order: string): number
}

/** @param folder is empty, and the environment variable `WORLD` of the receivers. */
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
    make: (effect, mood) => writeFileSync(join(folder, `${effect} is ${mood}`), ''),
    mend(effect) {
      for (const mood of ['slow', 'down', 'deadly']) rmSync(join(folder, `${effect} is ${mood}`), { force: true })
    },
    asked: (...what) => lines('asked', ...what).length,
    runs: (...what) => lines('done', ...what).length,
    took: (...what) => new Set(lines('done', ...what).map(({ key }) => key)).size,
  }
}
