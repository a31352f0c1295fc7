import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { createDeadline, withTimeout } from '../../src/core/deadline.ts'
import { rejection } from '../deliveries.ts'

const late = () => new Error('late')

describe('a deadline', () => {
  it('counts down, and stops at nothing', async () => {
    const deadline = createDeadline(30)
    expect(deadline.remaining()).toBeGreaterThan(0)
    expect(deadline.remaining()).toBeLessThanOrEqual(30)
    await sleep(40)
    expect(deadline.remaining()).toBe(0)
  })
})

describe('work within a time', () => {
  it('gives what it resolves with', async () => {
    expect(await withTimeout(Promise.resolve('done'), 1000, late)).toBe('done')
  })

  it('fails as it failed', async () => {
    const failure = new Error('failed')
    expect(await rejection(withTimeout(Promise.reject(failure), 1000, late))).toBe(failure)
  })

  it('fails as late when it takes longer, and goes on', async () => {
    let ended = false
    const work = sleep(40).then(() => {
      ended = true
    })
    await expect(withTimeout(work, 5, late)).rejects.toThrow('late')
    expect(ended).toBe(false)
    await work
    expect(ended).toBe(true)
  })

  it('may take for ever', async () => {
    expect(await withTimeout(sleep(40, 'done'), Number.POSITIVE_INFINITY, late)).toBe('done')
  })

  it('fails as late after more than the time in which timers gather, and not before', async () => {
    const begun = performance.now()
    await expect(withTimeout(new Promise(() => {}), 80, late)).rejects.toThrow('late')
    expect(performance.now() - begun).toBeGreaterThanOrEqual(78)
  })

  it('leaves no timer behind once it has ended, whether that was at once or later', async () => {
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
