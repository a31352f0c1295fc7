import { describe, expect, it } from 'vitest'
import { expandPattern, isSubscribed, isTopicPattern, matchesTopic } from '../../src/commerce-layer/topic-patterns.ts'
import { TOPICS } from '../../src/commerce-layer/topics.ts'

describe('a topic pattern', () => {
  it.each(['orders.place', 'orders.*', '*', 'time_machines.depart', 'gift_cards2.use'])('may be %s', (pattern) => {
    expect(isTopicPattern(pattern)).toBe(true)
  })

  it.each([
    '',
    'orders',
    'orders.',
    '.place',
    '*.place',
    '*.*',
    'Orders.place',
    'orders.place.now',
    'orders.p*',
    7,
    null,
  ])('cannot be %j', (value) => {
    expect(isTopicPattern(value)).toBe(false)
  })

  it('matches its topic, the topics of its resource, or every topic', () => {
    expect(matchesTopic(['orders.place'], 'orders.place')).toBe(true)
    expect(matchesTopic(['customers.create', 'orders.*'], 'orders.place')).toBe(true)
    expect(matchesTopic(['*'], 'orders.place')).toBe(true)
    expect(matchesTopic(['orders.pay', 'order.*', 'orders_place.*'], 'orders.place')).toBe(false)
    expect(matchesTopic([], 'orders.place')).toBe(false)
  })

  it('expands to the topics that it names', () => {
    expect(expandPattern('orders.place')).toEqual(['orders.place'])
    expect(expandPattern('time_machines.depart')).toEqual(['time_machines.depart'])
    expect(expandPattern('shipments.*')).toEqual(TOPICS.shipments.map((event) => `shipments.${event}`))
    expect(expandPattern('time_machines.*')).toEqual([])
    expect(expandPattern('*')).toEqual([])
  })

  it('subscribes to the topics that it matches', () => {
    const subscriptions = [{ topics: ['customers.create'] }, { topics: ['skus.tagged', 'orders.*'] }]
    expect(isSubscribed(subscriptions, 'orders.place')).toBe(true)
    expect(isSubscribed(subscriptions, 'customers.destroy')).toBe(false)
    expect(isSubscribed([], 'orders.place')).toBe(false)
  })
})
