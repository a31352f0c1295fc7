import { describe, expect, it } from 'vitest'
import { checkMethods, checkOptions, checkValue } from '../../src/core/check-options.ts'

const DEFAULTS = { limit: 10, order: 'none' as 'none' | 'all' }
const check = (given: object) => checkOptions('create', given, DEFAULTS, { order: ['none', 'all'] })

describe('options', () => {
  it('have defaults', () => {
    expect(check({})).toEqual({ limit: 10, order: 'none' })
    expect(check({ limit: 3, order: 'all' })).toEqual({ limit: 3, order: 'all' })
  })

  it.each([
    [{ limits: 1 }, 'create has no option `limits`.'],
    [{ toString: 1 }, 'create has no option `toString`.'],
    [{ limit: 0 }, 'create: `limit` must be a whole number over 0.'],
    [{ limit: 2 ** 53 }, 'create: `limit` must be a whole number over 0.'],
    [{ limit: '3' }, 'create: `limit` must be a whole number over 0.'],
    [{ limit: undefined }, 'create: `limit` must be a whole number over 0.'],
    [{ order: 'some' }, 'create: `order` must be none or all.'],
  ])('that are wrong are named: %j', (given, message) => {
    expect(() => check(given)).toThrow(new TypeError(message))
  })

  it('that have a name of their own are checked one by one', () => {
    expect(() => checkValue('create', "limits['a']", 1)).not.toThrow()
    expect(() => checkValue('create', "limits['a']", -1)).toThrow(
      "create: `limits['a']` must be a whole number over 0.",
    )
  })
})

it("an object of somebody else's must have the methods that are needed", () => {
  expect(() => checkMethods('store', { get() {} }, ['get'])).not.toThrow()
  expect(() => checkMethods('store', { get() {} }, ['get', 'set'])).toThrow(
    new TypeError('`store` has no method `set`.'),
  )
  for (const nothing of [undefined, null, 3, 'text']) {
    expect(() => checkMethods('store', nothing, ['get'])).toThrow('`store` has no method `get`.')
  }
})
