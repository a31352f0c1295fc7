import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createDeadline, withTimeout } from '../../src/core/deadline.ts'
import { rejection } from '../deliveries.ts'

const late = () => new Error('late')

describe('createDeadline', () => {
  it('counts down to 0, and not below', async () => {
    const deadline = createDeadline(200)
    expect(deadline.remaining()).toBeGreaterThan(0)
    expect(deadline.remaining()).toBeLessThanOrEqual(200)
    await sleep(210)
    expect(deadline.remaining()).toBe(0)
  })
})

describe('withTimeout', () => {
  it('resolves with the value of the work', async () => {
    expect(await withTimeout(Promise.resolve('done'), 1000, late)).toBe('done')
  })

  it('rejects with the error of the work', async () => {
    const failure = new Error('failed')
    expect(await rejection(withTimeout(Promise.reject(failure), 1000, late))).toBe(failure)
  })

  it('rejects with the error of `late` when the work takes too long, and lets the work go on', async () => {
    let ended = false
    let finish = () => {}
    const work = new Promise<void>((resolve) => (finish = resolve)).then(() => {
      ended = true
    })
    await expect(withTimeout(work, 5, late)).rejects.toThrow('late')
    expect(ended).toBe(false)
    finish()
    await work
    expect(ended).toBe(true)
  })

  it('never runs `late` in the async context of another call', async () => {
    const context = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const waits = ['one', 'two'].map((name) =>
      context.run(name, async () => {
        const error = rejection(
          withTimeout(new Promise(() => {}), 40, () => {
            seen.push(`${name} in ${context.getStore()}`)
            return late()
          }),
        )
        await error
      }),
    )
    await Promise.all(waits)
    expect(seen.sort()).toEqual(['one in one', 'two in two'])
  })

  it('never rejects when the time is infinite', async () => {
    expect(await withTimeout(sleep(40, 'done'), Number.POSITIVE_INFINITY, late)).toBe('done')
  })

  it('rejects no earlier than after the time, also when it is longer than timers are gathered for', async () => {
    const begun = performance.now()
    await expect(withTimeout(new Promise(() => {}), 80, late)).rejects.toThrow('late')
    expect(performance.now() - begun).toBeGreaterThanOrEqual(78)
  })

  it('leaves no timer behind once the work has ended, whether at once or later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await withTimeout(Promise.resolve(), 60_000, late)
      await rejection(withTimeout(Promise.reject(late()), 60_000, late))
      let end = () => {}
      const work = withTimeout(new Promise<void>((resolve) => (end = resolve)), 60_000, late)
      vi.advanceTimersByTime(25)
      expect(vi.getTimerCount()).toBe(1)
      end()
      await work
      await Promise.resolve()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
