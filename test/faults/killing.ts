import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings, Stage } from './shop/settings.ts'
import { type ShopProcess, startShop } from './shop-process.ts'

/** A process of a shop that is started again whenever it was killed. */
export interface Role {
  readonly settings: Settings
  /** The stages where it kills itself, one for each start. */
  readonly stages: readonly Stage[]
}

export interface Kills {
  /** When each process was killed, in milliseconds since 1970, by its pid. */
  readonly when: ReadonlyMap<number, number>
  readonly atStage: number
  readonly atRandom: number
}

/** Numbers from 0 up to 1. */
type Draw = () => number

export interface Rounds {
  readonly count: number
  readonly draw: Draw
  /** Sends events. Called at the start of a round, while processes may still be starting. */
  send(): Promise<unknown>
  /** Whether all events are done, so that no process will reach its stage. */
  isIdle(): boolean
}

/** The share of rounds that kill at a random time, and the latest such time. */
const AT_RANDOM = 0.2
const RANDOM_MS = 800
/** How long to wait for a process to reach its stage. */
const STAGE_TIMEOUT_MS = 3000
/** A process kills itself on one of this many visits of its stage, early ones more often. */
const VISITS = 6

/**
 * Kills processes of a shop. In each round all of them run, and one of them is killed: at the stage that its settings
 * name, or by SIGKILL at a random time. It is also killed by SIGKILL if it does not reach its stage.
 */
export async function runRounds(roles: readonly Role[], rounds: Rounds): Promise<Kills> {
  const { count, draw, send, isIdle } = rounds
  const running = new Map<Role, ShopProcess>()
  const when = new Map<number, number>()
  let atStage = 0
  for (let round = 0; round < count; round++) {
    // Drawn for all roles, so that the random numbers do not depend on which processes run.
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
      await hasEndedBy(
        randomMs ?? STAGE_TIMEOUT_MS,
        [...running.values()],
        randomMs === undefined ? isIdle : () => false,
      )
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

/** Waits until one of the processes has ended. False if none ends in this time, or none is going to. */
async function hasEndedBy(ms: number, shops: readonly ShopProcess[], isIdle: () => boolean): Promise<boolean> {
  const end = performance.now() + ms
  const hasEnded = () => shops.some((shop) => shop.hasEnded())
  while (!hasEnded() && performance.now() < end && !isIdle()) await sleep(15)
  return hasEnded()
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
