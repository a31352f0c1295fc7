import { describe, expect, it } from 'vitest'
import {
  checkMethods,
  checkOption,
  checkOptions,
  findNearest,
  oneOf,
  positiveInteger,
} from '../../src/core/check-options.ts'

const RULES = { limit: positiveInteger(10), order: oneOf('none', 'all') }
const check = (given: unknown) => checkOptions('create', given, RULES, ['secrets'])

describe('options', () => {
  it('have defaults', () => {
    expect(check({})).toEqual({ limit: 10, order: 'none' })
    expect(check({ limit: 3, order: 'all' })).toEqual({ limit: 3, order: 'all' })
  })

  it('that are undefined count as not given', () => {
    expect(check({ limit: undefined, order: undefined })).toEqual({ limit: 10, order: 'none' })
  })

  it('that the caller checks are accepted and left out', () => {
    expect(check({ secrets: 'any' })).toEqual({ limit: 10, order: 'none' })
  })

  it.each([
    [{ limits: 1 }, 'create has no option `limits`. Did you mean `limit`?'],
    [{ Secret: 1 }, 'create has no option `Secret`. Did you mean `secrets`?'],
    [{ toString: 1 }, 'create has no option `toString`.'],
    [{ limit: 0 }, 'create: `limit` must be a whole number over 0.'],
    [{ limit: 2 ** 53 }, 'create: `limit` must be a whole number over 0.'],
    [{ limit: '3' }, 'create: `limit` must be a whole number over 0.'],
    [{ limit: null }, 'create: `limit` must be a whole number over 0.'],
    [{ order: 'some' }, 'create: `order` must be none or all.'],
    [undefined, 'create: the options must be an object.'],
    [null, 'create: the options must be an object.'],
    ['text', 'create: the options must be an object.'],
  ])('that are wrong are named: %j', (given, message) => {
    expect(() => check(given)).toThrow(new TypeError(message))
  })

  it('can be checked one by one', () => {
    expect(checkOption('create', "limits['a']", 1, RULES.limit)).toBe(1)
    expect(() => checkOption('create', "limits['a']", -1, RULES.limit)).toThrow(
      new TypeError("create: `limits['a']` must be a whole number over 0."),
    )
  })
})

describe('the nearest name', () => {
  it.each([
    ['secret', ['secrets', 'logger'], 'secrets'],
    ['maxInflight', ['maxBodyBytes', 'maxInFlight'], 'maxInFlight'],
    ['deadline', ['deadlineMs', 'logger'], 'deadlineMs'],
    ['order.place', ['orders.place', 'orders.placing'], 'orders.place'],
    ['timeout', ['secrets', 'logger'], undefined],
    ['', ['a'], undefined],
    ['x', [], undefined],
  ])('to %j is found, or none', (name, known, nearest) => {
    expect(findNearest(name, known)).toBe(nearest)
  })
})

it('an object must have the methods that are needed', () => {
  expect(() => checkMethods('store', { get() {} }, ['get'])).not.toThrow()
  expect(() => checkMethods('store', { get() {} }, ['get', 'set'])).toThrow(
    new TypeError('`store` has no method `set`.'),
  )
  for (const nothing of [undefined, null, 3, 'text']) {
    expect(() => checkMethods('store', nothing, ['get'])).toThrow('`store` has no method `get`.')
  }
})
