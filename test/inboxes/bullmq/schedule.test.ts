import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Lane } from '../../../src/inboxes/bullmq/job.ts'
import { createSchedule } from '../../../src/inboxes/bullmq/schedule.ts'

const HOUR = 3_600_000
const [first, second] = [{}, {}] as unknown as [Lane, Lane]
const never = new AbortController().signal

it('asks each lane once, and then not before the next poll', async () => {
  const schedule = createSchedule(50)
  expect(schedule.isDue(first)).toBe(true)
  schedule.rest(first)
  expect(schedule.isDue(first)).toBe(false)
  expect(schedule.isDue(second)).toBe(true)
  await sleep(60)
  expect(schedule.isDue(first)).toBe(true)
})

it('keeps a wakeup that comes while the lane is asked', () => {
  const schedule = createSchedule(HOUR)
  schedule.rest(first)
  schedule.wake(first)
  expect(schedule.isDue(first)).toBe(true)
  schedule.wake(first, HOUR / 2)
  expect(schedule.isDue(first)).toBe(true)
})

it('ends a wait at a wakeup of one of its lanes, at the time of a due job, and when it is aborted', async () => {
  const schedule = createSchedule(HOUR)
  for (const lane of [first, second]) schedule.rest(lane)
  let ended = 0
  const wait = (maxMs = HOUR, signal = never) => schedule.wait([first], maxMs, signal).then(() => ended++)
  const waits = [wait(), wait()]
  expect(schedule.hasWaiting()).toBe(true)
  schedule.wake(second)
  await sleep(20)
  expect(ended).toBe(0)
  schedule.wake(first, 20)
  await Promise.all(waits)
  expect(schedule.isDue(first)).toBe(true)
  expect(schedule.hasWaiting()).toBe(false)

  schedule.rest(first)
  const stop = new AbortController()
  const aborted = wait(HOUR, stop.signal)
  stop.abort()
  await Promise.all([aborted, wait(20), wait(HOUR, stop.signal)])
  expect(ended).toBe(5)
})
