import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { IdempotencyStore } from 'hooklayer/drivers'
import { expect, it } from 'vitest'
import { type Connections, LONG_MS, type Reserved, reserveOptions } from './reservations.ts'

const KEYS = [0, 1, 2]
const NAMES = ['a', 'b', 'c']
/** Keys 0 and 1 are events of one resource, key 2 has none. */
const MOMENTS = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']

/** The expected state of one key. Leases expire only where a step makes them expire. */
interface Model {
  token: string | undefined
  isLapsed: boolean
  /** How it was completed: whatever the names, or by those that are done. */
  completed: 'never' | 'for-all' | 'by-names'
  done: Set<string>
}

interface Step {
  readonly act: 'reserve' | 'renew' | 'lapse' | 'complete' | 'release' | 'forget'
  readonly key: number
  /** Which of all tokens of the key, counted from the newest. */
  readonly age: number
  readonly done: readonly string[]
  /** Names that have to be done. */
  readonly names: readonly string[]
  /** Whether names are given to `complete`. */
  readonly isByNames: boolean
}

const step: fc.Arbitrary<Step> = fc.record({
  act: fc.oneof(
    { weight: 4, arbitrary: fc.constant('reserve' as const) },
    ...(['renew', 'lapse', 'complete', 'release', 'forget'] as const).map((act) => ({
      weight: 1,
      arbitrary: fc.constant(act),
    })),
  ),
  key: fc.constantFrom(...KEYS),
  age: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
  done: fc.subarray(NAMES),
  names: fc.subarray(NAMES),
  isByNames: fc.boolean(),
})

/** @param hasNames whether the store tells names of handlers apart. */
export function testModel(connection: Connections, hasNames: boolean): void {
  it('behaves like a simple model, for random operations in random order', async () => {
    const known = hasNames ? step : step.map((drawn) => ({ ...drawn, names: [], isByNames: false }))
    const steps = fc.array(known, { minLength: 10, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(steps, (list) => follow(list, connection)),
      { seed: 20_261_121, numRuns: 25, endOnFailure: true },
    )
  })
}

async function follow(steps: readonly Step[], connection: Connections): Promise<void> {
  const run = randomUUID()
  const play = createPlay(run)
  for (const [at, step] of steps.entries()) await play[step.act](connection(at), step)
}

function createPlay(run: string): Record<Step['act'], (store: IdempotencyStore, step: Step) => Promise<void>> {
  const models = KEYS.map((): Model => ({ token: undefined, isLapsed: false, completed: 'never', done: new Set() }))
  const tokens: string[][] = KEYS.map(() => [])
  let newest = ''

  const getModel = (key: number) => models[key] as Model
  const toKey = (key: number) => `${run} ${key}`
  const getVersion = (key: number) => {
    const updatedAt = MOMENTS[key]
    return updatedAt ? { resource: `orders/${run}`, updatedAt } : undefined
  }
  const getToken = (key: number, age: number) => tokens[key]?.at(-1 - age) ?? 'none'
  const isHolder = (key: number, token: string) => getModel(key).token === token
  const end = (key: number, rest: Partial<Model>) =>
    Object.assign(getModel(key), { token: undefined, isLapsed: false }, rest)

  async function renew(store: IdempotencyStore, { key, age, done }: Step, leaseMs: number): Promise<void> {
    const token = getToken(key, age)
    const holds = isHolder(key, token)
    expect(await store.renew(toKey(key), token, { leaseMs, done })).toBe(holds)
    if (!holds) return
    const model = getModel(key)
    model.isLapsed = leaseMs < LONG_MS
    for (const name of done) model.done.add(name)
    if (model.isLapsed) await sleep(5)
  }

  async function complete(store: IdempotencyStore, { key, age, done, isByNames }: Step): Promise<void> {
    const token = getToken(key, age)
    const holds = isHolder(key, token)
    const version = getVersion(key)
    const completion = { retentionMs: LONG_MS, version, ...(isByNames && { done }) }
    expect(await store.complete(toKey(key), token, completion)).toBe(holds)
    if (!holds) return
    const completed = isByNames ? 'by-names' : 'for-all'
    end(key, { completed, done: new Set([...getModel(key).done, ...done]) })
    if (version && version.updatedAt > newest) newest = version.updatedAt
  }

  async function release(store: IdempotencyStore, step: Step, retentionMs: number): Promise<void> {
    const { key, age, done } = step
    const token = getToken(key, age)
    const holds = isHolder(key, token)
    expect(await store.release(toKey(key), token, { done, retentionMs })).toBe(holds)
    if (!holds) return
    const isKept = retentionMs === LONG_MS || getModel(key).completed !== 'never'
    end(key, { done: new Set(isKept ? [...getModel(key).done, ...done] : []) })
    if (retentionMs < LONG_MS) await sleep(5)
  }

  return {
    async reserve(store, { key, names }) {
      const model = getModel(key)
      const version = getVersion(key)
      const reservation = await store.reserve(toKey(key), { ...reserveOptions(LONG_MS, version), names })
      const isDone = model.completed === 'for-all' || names.every((name) => model.done.has(name))
      if (model.completed !== 'never' && isDone) return expect(reservation).toEqual({ state: 'completed' })
      if (model.token && !model.isLapsed) return expect(reservation).toEqual({ state: 'in-progress' })
      const { token, done, stale, wasCompleted } = reservation as Reserved
      const all = tokens.flat()
      const isNew = typeof token === 'string' && !all.includes(token)
      expect({ isNew, done: [...done].sort(), stale, wasCompleted }).toEqual({
        isNew: true,
        done: [...model.done].sort(),
        wasCompleted: model.completed !== 'never',
        stale: version !== undefined && newest > version.updatedAt,
      })
      tokens[key]?.push(token)
      Object.assign(model, { token, isLapsed: false })
    },
    renew: (store, step) => renew(store, step, LONG_MS),
    lapse: (store, step) => renew(store, step, 1),
    complete,
    release: (store, step) => release(store, step, LONG_MS),
    forget: (store, step) => release(store, step, 1),
  }
}
