import { expect, it } from 'vitest'
import { rememberForTopic } from '../../src/core/topic-map.ts'

it('rememberForTopic stores the value of each topic, and never holds more than 1,000 topics', () => {
  const byTopic = new Map<string, number>()
  for (let number = 0; number < 10_000; number += 1) {
    rememberForTopic(byTopic, `topic.${number}`, number)
    expect(byTopic.get(`topic.${number}`)).toBe(number)
    expect(byTopic.size).toBeLessThanOrEqual(1000)
  }
})
