import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createBacklog } from '../../../src/inboxes/bullmq/backlog.ts'
import type { Lane } from '../../../src/inboxes/bullmq/job.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 }))
afterEach(() => void vi.useRealTimers())

const never = new Promise<never>(() => {})

/** A queue of BullMQ that returns these counts, or fails, one after another. */
function createLanes(...counts: readonly (number | Error | Promise<never>)[]): {
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

it('counts once while the count is valid, and adds the changes of this process', async () => {
  const { lanes, asked } = createLanes(7)
  const backlog = createBacklog(10)
  expect(await Promise.all([backlog.hasRoom(lanes), backlog.hasRoom(lanes)])).toEqual([true, true])
  backlog.add(1)
  expect(await backlog.hasRoom(lanes)).toBe(true)
  backlog.add(1)
  expect(await backlog.hasRoom(lanes)).toBe(false)
  backlog.add(-1)
  expect(await backlog.hasRoom(lanes)).toBe(true)
  expect(asked()).toBe(1)
})

it('does not wait for the next count while the last one is valid', async () => {
  const { lanes, asked } = createLanes(7, never)
  const backlog = createBacklog(10)
  await backlog.hasRoom(lanes)
  vi.setSystemTime(1_000_600)
  expect(await backlog.hasRoom(lanes)).toBe(true)
  expect(await backlog.hasRoom(lanes)).toBe(true)
  expect(asked()).toBe(2)
})

it('waits for a count when the last one is no longer valid', async () => {
  const { lanes } = createLanes(7, 9)
  const backlog = createBacklog(10)
  await backlog.hasRoom(lanes)
  backlog.add(5)
  vi.setSystemTime(1_001_001)
  expect(await backlog.hasRoom(lanes)).toBe(false)
  backlog.add(-1)
  expect(await backlog.hasRoom(lanes)).toBe(true)
})

it('rejects when it cannot count, and counts again on the next call', async () => {
  const { lanes } = createLanes(new Error('away'), 7, new Error('away'), 9)
  const backlog = createBacklog(10)
  await expect(backlog.hasRoom(lanes)).rejects.toThrow('away')
  expect(await backlog.hasRoom(lanes)).toBe(true)
  vi.setSystemTime(1_000_600)
  expect(await backlog.hasRoom(lanes)).toBe(true)
  await setImmediate()
  vi.setSystemTime(1_001_001)
  expect(await backlog.hasRoom(lanes)).toBe(false)
})
