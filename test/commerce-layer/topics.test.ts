import { TOPICS } from 'hooklayer'
import { describe, expect, it } from 'vitest'
import { carries, eventsOf, resourceOf } from '../../src/commerce-layer/topics.ts'

const topics = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))

describe('the catalog', () => {
  it('has 186 topics of 43 resources, each once', () => {
    expect(Object.keys(TOPICS)).toHaveLength(43)
    expect(topics).toHaveLength(186)
    expect(new Set(topics).size).toBe(186)
  })

  it('is in alphabetical order and in snake_case', () => {
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
  it('names a resource, whose events are known or not', () => {
    expect(resourceOf('orders.place')).toBe('orders')
    expect(eventsOf('orders')).toBe(TOPICS.orders)
    for (const unknown of ['order', 'novelties', 'constructor', '__proto__', 'toString', '']) {
      expect(eventsOf(unknown)).toBeUndefined()
    }
  })

  it.each(topics)('%s carries its own resource', (topic) => {
    expect(carries(topic, resourceOf(topic))).toBe(true)
  })

  it('carries only its own resource, except for families of types', () => {
    const families = ['promotions', 'transactions', 'avalara_accounts']
    for (const topic of topics) expect(carries(topic, 'anything'), topic).toBe(families.includes(resourceOf(topic)))
  })

  it('may carry any type if its resource is unknown', () => {
    for (const topic of ['novelties.appear', 'constructor.call', 'order.place']) {
      expect(carries(topic, 'anything')).toBe(true)
    }
  })

  it('carries the resource that it names even if its event is new', () => {
    expect(carries('orders.novelty', 'orders')).toBe(true)
    expect(carries('orders.novelty', 'customers')).toBe(false)
  })
})
