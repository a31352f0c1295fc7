import { describe, expect, it, vi } from 'vitest'
import { createFailureStreak } from '../../../src/core/handle/failure-streak.ts'
import { recordingLogger } from '../../deliveries.ts'

function failing(times: number, topic = 'orders.place') {
  const { logger, messages } = recordingLogger()
  const breaker = createFailureStreak(logger)
  const counts = Array.from({ length: times }, () => breaker.count(topic, true))
  return { breaker, counts, messages }
}

describe('failures in a row', () => {
  it('are counted, and begin anew after a success', () => {
    const { breaker, counts } = failing(3)
    expect(counts).toEqual([1, 2, 3])
    expect(breaker.count('orders.place', false)).toBe(0)
    expect(breaker.count('orders.place', true)).toBe(1)
  })

  it('are counted for each topic, as each has a webhook of its own', () => {
    const { breaker } = failing(3)
    expect(breaker.count('orders.pay', true)).toBe(1)
    expect(breaker.count('orders.pay', false)).toBe(0)
    expect(breaker.count('orders.place', true)).toBe(4)
  })

  it('earn a warning at 10 and another at 20, and no more', () => {
    expect(failing(9).messages()).toEqual([])
    const messages = failing(40).messages()
    expect(messages).toEqual([
      expect.stringMatching(/orders\.place: 10 failures in a row.*20 more/),
      expect.stringMatching(/orders\.place: 20 failures in a row.*10 more/),
    ])
  })

  it('are close to the limit for a minute from the 20th on', () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const { breaker } = failing(19)
      expect(breaker.isNearlyOpen('orders.place')).toBe(false)
      breaker.count('orders.place', true)
      expect(breaker.isNearlyOpen('orders.place')).toBe(true)
      expect(breaker.isNearlyOpen('orders.pay')).toBe(false)
      breaker.count('orders.place', false)
      expect(breaker.isNearlyOpen('orders.place')).toBe(true)
      vi.setSystemTime(Date.now() + 60_000)
      expect(breaker.isNearlyOpen('orders.place')).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })
})
