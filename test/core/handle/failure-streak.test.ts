import { describe, expect, it, vi } from 'vitest'
import { isCatalogued } from '../../../src/commerce-layer/topics.ts'
import { createFailureStreak } from '../../../src/core/handle/failure-streak.ts'
import { recordingLogger } from '../../deliveries.ts'

function countFailures(times: number, topic = 'orders.place') {
  const { logger, messages } = recordingLogger()
  const streak = createFailureStreak(logger, isCatalogued)
  const counts = Array.from({ length: times }, () => streak.count(topic, true))
  return { streak, counts, messages }
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

  it('logs a warning at the 10th and at the 20th failure, and no more', () => {
    expect(countFailures(9).messages()).toEqual([])
    const messages = countFailures(40).messages()
    expect(messages).toEqual([
      expect.stringMatching(/orders\.place: 10 failures in a row.*20 more/),
      expect.stringMatching(/orders\.place: 20 failures in a row.*10 more/),
    ])
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
