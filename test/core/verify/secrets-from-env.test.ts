import fc from 'fast-check'
import { createReceiver, secretsFromEnv } from 'hooklayer'
import { createDelivery } from 'hooklayer/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isTopic } from '../../../src/commerce-layer/topic-patterns.ts'
import { TOPICS } from '../../../src/commerce-layer/topics.ts'

const SECRET = '7d1a1c2a9b3e4f5061728394a5b6c7d8'

afterEach(() => vi.unstubAllEnvs())

describe('secretsFromEnv', () => {
  it('gives secrets that verify the deliveries of their topic only', async () => {
    vi.stubEnv('CL_SECRET_ORDERS__PLACE', SECRET)
    const receiver = createReceiver({ secrets: secretsFromEnv() })
    const place = await createDelivery('orders.place', { secret: SECRET })
    const approve = await createDelivery('orders.approve', { secret: SECRET })
    const statuses = [await receiver.receive(place), await receiver.receive(approve)].map(({ status }) => status)
    expect(statuses).toEqual([200, 401])
  })

  it('gives the secrets by topic', () => {
    const env = { CL_SECRET_PRICE_LISTS__CREATE: 'one', CL_SECRET_ORDERS__START_FULFILLING: 'two', HOME: '/root' }
    expect(secretsFromEnv({ env })).toEqual({ 'price_lists.create': ['one'], 'orders.start_fulfilling': ['two'] })
  })

  it('reads a variable for each topic of the catalogue', () => {
    const topics = Object.entries(TOPICS).flatMap(([resource, events]) => events.map((event) => `${resource}.${event}`))
    const env = Object.fromEntries(
      topics.map((topic) => [`CL_SECRET_${topic.replace('.', '__').toUpperCase()}`, topic]),
    )
    expect(secretsFromEnv({ env })).toEqual(Object.fromEntries(topics.map((topic) => [topic, [topic]])))
  })

  it('does not give the secret of one topic to another: no two topics share a variable', () => {
    const catalogued = Object.entries(TOPICS).flatMap(([resource, events]) =>
      events.map((event) => `${resource}.${event}`),
    )
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,4}(_[a-z0-9]{1,3}){0,3}$/)
    const made = fc.tuple(word, word).map(([resource, event]) => `${resource}.${event}`)
    const topics = fc.array(fc.oneof(made, fc.constantFrom(...catalogued)), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(topics, (some) => {
        const different = [...new Set([...some, ...catalogued])].filter(isTopic)
        const env = Object.fromEntries(
          different.map((topic) => [`CL_SECRET_${topic.replace('.', '__').toUpperCase()}`, topic]),
        )
        expect(Object.keys(env)).toHaveLength(different.length)
        expect(secretsFromEnv({ env })).toEqual(Object.fromEntries(different.map((topic) => [topic, [topic]])))
      }),
      { numRuns: 30 },
    )
  })

  it('does not read a name as more than one topic: a topic has no two underscores in a row, and none at its ends', () => {
    const letters = fc.string({ unit: fc.constantFrom('A', 'B', '_', '0', '.'), maxLength: 12 })
    fc.assert(
      fc.property(letters, (name) => {
        const env = { [`CL_SECRET_${name}`]: SECRET, CL_SECRET_ORDERS__CREATE: SECRET }
        const topics = Object.keys(secretsFromEnv({ env })).filter((topic) => topic !== 'orders.create')
        for (const topic of topics) expect(topic.replace('.', '__').toUpperCase()).toBe(name)
      }),
    )
  })

  it('reads several secrets of a topic, separated by commas', () => {
    expect(secretsFromEnv({ env: { CL_SECRET_ORDERS__PLACE: 'old,new' } })).toEqual({ 'orders.place': ['old', 'new'] })
  })

  it('reads variables with another prefix', () => {
    expect(secretsFromEnv({ prefix: 'SHOP_', env: { SHOP_ORDERS__PLACE: 'one' } })).toEqual({ 'orders.place': ['one'] })
  })

  it.each(['ORDERS', 'ORDERS___PLACE', 'ORDERS__PLACE__NOW', '_ORDERS__PLACE', 'ORDERS__PLACE_', 'orders__place', ''])(
    'ignores a variable that does not name a topic: CL_SECRET_%s',
    (name) => {
      const env = { [`CL_SECRET_${name}`]: 'one', CL_SECRET_ORDERS__CREATE: 'two' }
      expect(secretsFromEnv({ env })).toEqual({ 'orders.create': ['two'] })
    },
  )

  it.each([
    ['there is no variable', {}, /no variable such as `CL_SECRET_ORDERS__PLACE`/],
    ['the only variable is empty', { CL_SECRET_ORDERS__PLACE: '' }, /no variable such as `CL_SECRET_ORDERS__PLACE`/],
    ['there are only other variables', { CL_TOKEN: 'one' }, /no variable such as `CL_SECRET_ORDERS__PLACE`/],
    [
      'a variable has a single underscore for the dot',
      { CL_SECRET_ORDERS_PLACE: 'secret', CL_SECRET_ORDERS__CREATE: 'two' },
      'secretsFromEnv does not read `CL_SECRET_ORDERS_PLACE`: rename it to `CL_SECRET_ORDERS__PLACE`.',
    ],
  ])('throws if %s', (_, env, message) => {
    expect(() => secretsFromEnv({ env })).toThrow(TypeError)
    expect(() => secretsFromEnv({ env })).toThrow(message)
  })

  it('accepts a variable of the old form beside one of the new form', () => {
    const env = { CL_SECRET_ORDERS_PLACE: 'one', CL_SECRET_ORDERS__PLACE: 'one' }
    expect(secretsFromEnv({ env })).toEqual({ 'orders.place': ['one'] })
  })

  it('throws where there is neither `process` nor `env`', () => {
    vi.stubGlobal('process', undefined)
    try {
      expect(() => secretsFromEnv()).toThrow(/pass `env`/)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('names an unknown option', () => {
    expect(() => secretsFromEnv({ prefx: 'A' } as object)).toThrow('Did you mean `prefix`?')
  })
})
