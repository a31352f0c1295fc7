import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createBudget } from '../../../src/core/http/budget.ts'
import type { ReadBodyOptions } from '../../../src/core/http/request.ts'
import { rejection } from '../../deliveries.ts'
import { waitFor } from '../../wait-for.ts'

const KIB = 1024

/** A body whose bytes arrive when a test says so. */
function createBody() {
  let options: ReadBodyOptions | undefined
  let finish = (_body: string) => {}
  const read = vi.fn((given: ReadBodyOptions) => {
    options = given
    return new Promise<string>((resolve) => {
      finish = resolve
    })
  })
  return {
    read,
    /** Whether the body may be read on at once. */
    receive: (bytes: number) => options?.onProgress?.(bytes),
    finish: () => finish('{}'),
  }
}

function reading(budget: ReturnType<typeof createBudget>, ms = 10_000) {
  const body = createBody()
  let isOver = false
  const result = budget.read(body.read, 1000 * KIB, ms).finally(() => {
    isOver = true
  })
  result.catch(() => {})
  return { ...body, result, isOver: () => isOver }
}

describe('the places of unverified bodies', () => {
  const limits = { maxUnverified: 2, maxUnverifiedBytes: 1000 * KIB }

  it('are not needed by bodies that arrive without delay', async () => {
    const budget = createBudget(limits)
    const all = Array.from({ length: 100 }, () => reading(budget))
    await sleep(100)
    for (const { finish } of all) finish()
    expect(await Promise.all(all.map(({ result }) => result))).toHaveLength(100)
  })

  it('are taken from those that have made no progress for longest', async () => {
    const budget = createBudget(limits)
    const stalled = [reading(budget), reading(budget)]
    await sleep(300)
    const fresh = [reading(budget), reading(budget)]
    await waitFor(() => expect(stalled.every(({ isOver }) => isOver())).toBe(true))
    expect(fresh.map(({ isOver }) => isOver())).toEqual([false, false])
    expect(await rejection(stalled[0]?.result as Promise<unknown>)).toMatchObject({ code: 'BODY_TIMEOUT', status: 408 })
    for (const { finish } of fresh) finish()
    await Promise.all(fresh.map(({ result }) => result))
  })

  it('are kept by bodies that make progress, and lost by those that send single bytes', async () => {
    const budget = createBudget(limits)
    const [steady, dripping] = [reading(budget), reading(budget)]
    const sending = setInterval(() => {
      steady.receive(8 * KIB)
      dripping.receive(1)
    }, 50)
    await sleep(400)
    reading(budget)
    await waitFor(() => expect(dripping.isOver()).toBe(true))
    expect(steady.isOver()).toBe(false)
    clearInterval(sending)
  })

  it('are free again when bodies are complete', async () => {
    const budget = createBudget(limits)
    for (let i = 0; i < 10; i++) {
      const body = reading(budget)
      body.finish()
      expect(await body.result).toBe('{}')
    }
    const [one, two] = [reading(budget), reading(budget)]
    await sleep(400)
    expect([one.isOver(), two.isOver()]).toEqual([false, false])
  })

  it('are not lost while the event loop is blocked: what arrived meanwhile is read first', async () => {
    const budget = createBudget(limits)
    const bodies = Array.from({ length: 10 }, () => reading(budget))
    await sleep(20)
    for (const { finish } of bodies) setImmediate(finish)
    const end = performance.now() + 400
    while (performance.now() < end);
    expect(await Promise.all(bodies.map(({ result }) => result))).toHaveLength(10)
  })
})

describe('the bytes of unverified bodies', () => {
  const limits = { maxUnverified: 1000, maxUnverifiedBytes: 100 * KIB }

  it('are read without waiting while there is room', () => {
    const budget = createBudget(limits)
    const body = reading(budget)
    expect(body.receive(99 * KIB)).toBeUndefined()
  })

  it('make others wait, and one of them goes on, so that it makes room', async () => {
    const budget = createBudget(limits)
    const [first, second, third] = [reading(budget), reading(budget), reading(budget)]
    first.receive(60 * KIB)
    expect(second.receive(60 * KIB)).toBeUndefined()
    const third_ = third.receive(1 * KIB)
    expect(third_).toBeInstanceOf(Promise)
    const late = reading(budget)
    expect(late.read).not.toHaveBeenCalled()
    second.finish()
    await second.result
    await waitFor(() => expect(late.read).toHaveBeenCalled())
  })

  it('are freed by cutting off the largest, when nothing was finished for a while', async () => {
    const budget = createBudget(limits)
    const [small, large] = [reading(budget), reading(budget)]
    small.receive(20 * KIB)
    large.receive(100 * KIB)
    const waiting = reading(budget)
    expect(waiting.read).not.toHaveBeenCalled()
    await waitFor(() => expect(waiting.read).toHaveBeenCalled())
    expect([large.isOver(), small.isOver()]).toEqual([true, false])
    expect(await rejection(large.result)).toMatchObject({ code: 'BODY_TIMEOUT' })
    // No more of it is read.
    expect(large.receive(1)).toBeInstanceOf(Promise)
    waiting.finish()
    expect(await waiting.result).toBe('{}')
  })

  it('let another body go on when the one that makes room has stalled, and cut off nobody for that', async () => {
    const budget = createBudget(limits)
    const done = reading(budget)
    done.finish()
    await done.result
    const stalled = reading(budget)
    stalled.receive(102 * KIB)
    const waiting = reading(budget)
    expect(waiting.read).not.toHaveBeenCalled()
    await waitFor(() => expect(waiting.read).toHaveBeenCalled())
    expect(stalled.isOver()).toBe(false)
    waiting.finish()
    expect(await waiting.result).toBe('{}')
    stalled.finish()
    await stalled.result
  })

  it('do not keep a body that waits beyond its time', async () => {
    const budget = createBudget(limits)
    reading(budget).receive(200 * KIB)
    const waiting = reading(budget, 30)
    expect(await rejection(waiting.result)).toMatchObject({ code: 'BODY_TIMEOUT' })
    expect(waiting.read).not.toHaveBeenCalled()
  })

  it('are all read in the end, of a burst that is many times larger than the budget', async () => {
    const budget = createBudget(limits)
    const sizes = Array.from({ length: 200 }, () => 20 * KIB)
    const read = async ({ onProgress }: ReadBodyOptions) => {
      for (let chunk = 0; chunk < 5; chunk++) {
        await new Promise(setImmediate)
        await onProgress?.(4 * KIB)
      }
      return '{}'
    }
    const results = await Promise.all(sizes.map(() => budget.read(read, 1000 * KIB, 5000)))
    expect(results).toHaveLength(200)
  })
})
