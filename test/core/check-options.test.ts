import { describe, expect, it } from 'vitest'
import {
  checkMethods,
  checkOption,
  checkOptions,
  findNearest,
  matching,
  oneOf,
  orValue,
  positiveInteger,
} from '../../src/core/check-options.ts'

const RULES = { limit: positiveInteger(10), order: oneOf('none', 'all') }
const check = (given: unknown) => checkOptions('create', given, RULES, ['secrets'])

describe('checkOptions', () => {
  it('gives the options with their defaults', () => {
    expect(check({})).toEqual({ limit: 10, order: 'none' })
    expect(check({ limit: 3, order: 'all' })).toEqual({ limit: 3, order: 'all' })
  })

  it('treats an option that is undefined as not given', () => {
    expect(check({ limit: undefined, order: undefined })).toEqual({ limit: 10, order: 'none' })
  })

  it('accepts the names that the caller checks by itself, and leaves them out of the result', () => {
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
  ])('names an unknown or wrong option: %j', (given, message) => {
    expect(() => check(given)).toThrow(new TypeError(message))
  })

  it('has a counterpart for a single option, `checkOption`', () => {
    expect(checkOption('create', "limits['a']", 1, RULES.limit)).toBe(1)
    expect(() => checkOption('create', "limits['a']", -1, RULES.limit)).toThrow(
      new TypeError("create: `limits['a']` must be a whole number over 0."),
    )
  })
})

describe('findNearest', () => {
  it.each([
    ['secret', ['secrets', 'logger'], 'secrets'],
    ['maxInflight', ['maxBodyBytes', 'maxInFlight'], 'maxInFlight'],
    ['deadline', ['deadlineMs', 'logger'], 'deadlineMs'],
    ['order.place', ['orders.place', 'orders.placing'], 'orders.place'],
    ['timeout', ['secrets', 'logger'], undefined],
    ['', ['a'], undefined],
    ['x', [], undefined],
  ])('finds the name nearest to %j in %j: %j', (name, known, nearest) => {
    expect(findNearest(name, known)).toBe(nearest)
  })
})

it('checkMethods refuses an object that lacks a method', () => {
  expect(() => checkMethods('store', { get() {} }, ['get'])).not.toThrow()
  expect(() => checkMethods('store', { get() {} }, ['get', 'set'])).toThrow(
    new TypeError('`store` has no method `set`.'),
  )
  for (const value of [undefined, null, 3, 'text']) {
    expect(() => checkMethods('store', value, ['get'])).toThrow('`store` has no method `get`.')
  }
})

it('orValue allows one more value than its rule', () => {
  const rule = orValue(positiveInteger(1000), 'none')
  expect([1, 'none'].map((value) => rule.isValid(value))).toEqual([true, true])
  expect([0, '1', 'all', undefined].map((value) => rule.isValid(value))).toEqual([false, false, false, false])
  expect([rule.fallback, rule.expected]).toEqual([1000, 'a whole number over 0, or none'])
})

describe('text of a form', () => {
  const rules = { name: matching('hooklayer', /^[a-z]+$/, 'text of letters') }

  it('has a default, and is accepted if it has the form', () => {
    expect(checkOptions('create', {}, rules)).toEqual({ name: 'hooklayer' })
    expect(checkOptions('create', { name: 'shop' }, rules)).toEqual({ name: 'shop' })
  })

  it.each(['a:b', '', 7, null])('is refused otherwise: %j', (given) => {
    expect(() => checkOptions('create', { name: given }, rules)).toThrow(
      new TypeError('create: `name` must be text of letters.'),
    )
  })
})
