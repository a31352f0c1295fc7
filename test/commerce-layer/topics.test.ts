import { TOPICS } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { carries, eventsOf, resourceOf } from '../../src/commerce-layer/topics.ts'

const topics = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))

describe('the catalogue', () => {
  it('has the 186 topics of 43 resources, each once', () => {
    expect(Object.keys(TOPICS)).toHaveLength(43)
    expect(topics).toHaveLength(186)
    expect(new Set(topics).size).toBe(186)
  })

  it('is written in alphabetical order, and in snake_case', () => {
    expect(Object.keys(TOPICS)).toEqual(Object.keys(TOPICS).sort())
    for (const events of Object.values(TOPICS)) expect(events).toEqual([...events].sort())
    for (const topic of topics) expect(topic).toMatch(/^[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*$/)
  })

  it('has the topics that fire even during imports', () => {
    const always = 'place approve cancel authorize void pay refund start_fulfilling cancel_fulfilling fulfill'
    for (const event of always.split(' ')) expect(TOPICS.orders).toContain(event)
  })
})

describe('a topic', () => {
  it('is that of a resource, which may have events that are known', () => {
    expect(resourceOf('orders.place')).toBe('orders')
    expect(eventsOf('orders')).toBe(TOPICS.orders)
    for (const unknown of ['order', 'novelties', 'constructor', '__proto__', 'toString', '']) {
      expect(eventsOf(unknown)).toBeUndefined()
    }
  })

  it.each(topics)('%s carries its own resource', (topic) => {
    expect(carries(topic, resourceOf(topic))).toBe(true)
  })

  it('carries nothing but its own resource, except where a family shares it', () => {
    const families = ['promotions', 'transactions', 'avalara_accounts']
    for (const topic of topics) expect(carries(topic, 'anything'), topic).toBe(families.includes(resourceOf(topic)))
  })

  it('carries whatever it likes when nothing is known of its resource', () => {
    for (const topic of ['novelties.appear', 'constructor.call', 'order.place']) {
      expect(carries(topic, 'anything')).toBe(true)
    }
  })

  it('that is new still carries the resource that it names', () => {
    expect(carries('orders.novelty', 'orders')).toBe(true)
    expect(carries('orders.novelty', 'customers')).toBe(false)
  })
})
