import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createBacklog } from '../../../src/inboxes/bullmq/backlog.ts'
import type { Lane } from '../../../src/inboxes/bullmq/job.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

const never = new Promise<never>(() => {})

/** A queue of BullMQ that counts what it is told, or fails, one after another. */
function laneOf(...counts: readonly (number | Error | Promise<never>)[]): {
  readonly lanes: readonly Lane[]
  asked(): number
} {
  let asked = 0
  const getJobCounts = async () => {
    const count = counts[asked++]
    if (count instanceof Error) throw count
    return { waiting: await count, active: 1 }
  }
  return { lanes: [{ queue: { getJobCounts } } as unknown as Lane], asked: () => asked }
}

it('counts once for as long as the count is good, and what happens here besides', async () => {
  const { lanes, asked } = laneOf(7)
  const room = createBacklog(10)
  expect(await Promise.all([room.isLeft(lanes), room.isLeft(lanes)])).toEqual([true, true])
  room.count(1)
  expect(await room.isLeft(lanes)).toBe(true)
  room.count(1)
  expect(await room.isLeft(lanes)).toBe(false)
  room.count(-1)
  expect(await room.isLeft(lanes)).toBe(true)
  expect(asked()).toBe(1)
})

it('has nobody wait for the next count while the last one is good', async () => {
  const { lanes, asked } = laneOf(7, never)
  const room = createBacklog(10)
  await room.isLeft(lanes)
  vi.setSystemTime(1_000_600)
  expect(await room.isLeft(lanes)).toBe(true)
  expect(await room.isLeft(lanes)).toBe(true)
  expect(asked()).toBe(2)
})

it('waits for a count when the last one is too old', async () => {
  const { lanes } = laneOf(7, 9)
  const room = createBacklog(10)
  await room.isLeft(lanes)
  room.count(5)
  vi.setSystemTime(1_001_001)
  expect(await room.isLeft(lanes)).toBe(false)
  room.count(-1)
  expect(await room.isLeft(lanes)).toBe(true)
})

it('says so when it cannot count, and counts again for who asks next', async () => {
  const { lanes } = laneOf(new Error('away'), 7, new Error('away'), 9)
  const room = createBacklog(10)
  await expect(room.isLeft(lanes)).rejects.toThrow('away')
  expect(await room.isLeft(lanes)).toBe(true)
  vi.setSystemTime(1_000_600)
  expect(await room.isLeft(lanes)).toBe(true)
  await setImmediate()
  vi.setSystemTime(1_001_001)
  expect(await room.isLeft(lanes)).toBe(false)
})
