import { describe, expect, it, vi } from 'vitest'
import { isCatalogued } from '../../../src/commerce-layer/topics.ts'
import { createFailureStreak } from '../../../src/core/handle/failure-streak.ts'

function countFailures(times: number, topic = 'orders.place') {
  const levels: unknown[][] = []
  const streak = createFailureStreak(isCatalogued, (...level) => levels.push(level))
  const counts = Array.from({ length: times }, () => streak.count(topic, true))
  return { streak, counts, levels }
}

describe('createFailureStreak', () => {
  it('counts consecutive failures, and starts anew after a success', () => {
    const { streak, counts } = countFailures(3)
    expect(counts).toEqual([1, 2, 3])
    expect(streak.count('orders.place', false)).toBe(0)
    expect(streak.count('orders.place', true)).toBe(1)
  })

  it('counts each topic by itself, because each has a webhook of its own', () => {
    const { streak } = countFailures(3)
    expect(streak.count('orders.pay', true)).toBe(1)
    expect(streak.count('orders.pay', false)).toBe(0)
    expect(streak.count('orders.place', true)).toBe(4)
  })

  it('warns at the 10th, the 20th and the 25th failure, and no more until one succeeds', () => {
    expect(countFailures(9).levels).toEqual([])
    const { streak, levels } = countFailures(40)
    const once = [10, 20, 25].map((level) => ['orders.place', level, level])
    expect(levels).toEqual(once)
    streak.count('orders.place', false)
    for (let i = 0; i < 40; i += 1) streak.count('orders.place', true)
    expect(levels).toEqual([...once, ...once])
  })

  it('warns once when 10 signatures of a topic in a row did not match', () => {
    const { streak, levels } = countFailures(0)
    const mismatch = (times: number) => {
      for (let i = 0; i < times; i += 1) streak.countMismatch('orders.place')
    }
    mismatch(9)
    streak.count('orders.place', false)
    mismatch(9)
    expect(levels).toEqual([])
    mismatch(30)
    expect(levels).toEqual([['orders.place', 'mismatch', 10]])
  })

  it('says for a minute after the 20th failure that the circuit is nearly open', () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const { streak } = countFailures(19)
      expect(streak.isNearlyOpen('orders.place')).toBe(false)
      streak.count('orders.place', true)
      expect(streak.isNearlyOpen('orders.place')).toBe(true)
      expect(streak.isNearlyOpen('orders.pay')).toBe(false)
      streak.count('orders.place', false)
      expect(streak.isNearlyOpen('orders.place')).toBe(true)
      vi.setSystemTime(Date.now() + 60_000)
      expect(streak.isNearlyOpen('orders.place')).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })
})
