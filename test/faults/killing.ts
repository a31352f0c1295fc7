import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings, Stage } from './shop/settings.ts'
import { type ShopProcess, startShop } from './shop-process.ts'

/** A process of a shop that is there again whenever it was killed. */
export interface Role {
  readonly settings: Settings
  /** Where it kills itself, one of them each time. */
  readonly stages: readonly Stage[]
}

export interface Kills {
  /** When each process died, in milliseconds since 1970, by its pid. */
  readonly when: ReadonlyMap<number, number>
  readonly atStage: number
  readonly atRandom: number
}

/** Numbers from 0 up to 1. */
type Draw = () => number

export interface Rounds {
  readonly count: number
  readonly draw: Draw
  /** Called as a round begins, while processes may still be starting: sends something. */
  send(): Promise<unknown>
  /** Whether all that was sent is done: then no process is going to come to its stage. */
  isIdle(): boolean
}

/** How many rounds leave it to chance when a process dies, and how long after its start at most. */
const AT_RANDOM = 0.2
const RANDOM_MS = 800
/** How long a process is waited for to come to its stage. */
const STAGE_TIMEOUT_MS = 3000
/** It dies at a stage when it comes there for one of so many times, rather early. */
const VISITS = 6

/**
 * Kills processes of a shop: in each round all of them are there, and one of them dies. Each process is told when it is started
 * at which stage it is to end. Who does not come there, and who dies in a round that leaves it to chance, dies at any moment.
 */
export async function runRounds(roles: readonly Role[], rounds: Rounds): Promise<Kills> {
  const { count, draw, send, isIdle } = rounds
  const running = new Map<Role, ShopProcess>()
  const when = new Map<number, number>()
  let atStage = 0
  for (let round = 0; round < count; round++) {
    // Drawn for all, needed or not: who is there does not change what is drawn.
    const ends = new Map(roles.map((role) => [role, drawnEnd(role, draw)]))
    const [chance, moment] = [draw(), draw()]
    const randomMs = chance < AT_RANDOM ? moment * RANDOM_MS : undefined
    const victim = roles[Math.floor(draw() * roles.length)]
    const sending = send()
    for (const role of roles) {
      const end = randomMs === undefined ? ends.get(role) : {}
      if (!running.has(role)) running.set(role, await startShop({ ...role.settings, ...end }))
    }
    if (
      await diesBy(randomMs ?? STAGE_TIMEOUT_MS, [...running.values()], randomMs === undefined ? isIdle : () => false)
    ) {
      atStage += 1
    } else if (victim) await running.get(victim)?.kill()
    for (const [role, shop] of running) {
      if (!shop.hasEnded()) continue
      when.set(await killed(shop), Date.now())
      running.delete(role)
    }
    await sending
  }
  for (const shop of running.values()) {
    await shop.kill()
    when.set(shop.pid, Date.now())
  }
  return { when, atStage, atRandom: when.size - atStage }
}

/** Waits until one of the processes has ended; false if none has within that time, or if none is going to. */
async function diesBy(ms: number, shops: readonly ShopProcess[], isIdle: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  const hasDied = () => shops.some((shop) => shop.hasEnded())
  while (!hasDied() && performance.now() < end && !isIdle()) await sleep(15)
  return hasDied()
}

async function killed(shop: ShopProcess): Promise<number> {
  const how = await shop.ended
  if (how !== 'SIGKILL')
    throw new Error(`A process was not killed, but ended with ${how}. Its output:\n${shop.output()}`)
  return shop.pid
}

function drawnEnd({ stages }: Role, draw: Draw): Pick<Settings, 'stage' | 'visit'> {
  const [at, visit] = [draw(), draw()]
  const stage = stages[Math.floor(at * stages.length)]
  return stage ? { stage, visit: 1 + Math.floor(visit ** 2 * VISITS) } : {}
}
