import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { canonicalJson } from '../../../src/core/event/canonical-json.ts'

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

it('canonicalJson agrees with the reference implementation of RFC 8785 for any JSON', () => {
  const values = fc.oneof(fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }), fc.jsonValue({ stringUnit: 'grapheme' }))
  fc.assert(
    fc.property(values, (value) => {
      expect(canonicalJson(asJson(value))).toBe(canonicalize(asJson(value)))
    }),
    { numRuns: 1000 },
  )
})

it.each([
  ['names that are numbers', { 10: 'ten', 9: 'nine', a: 1, '-1': 2, 'a b': 3 }],
  ['characters that JSON escapes', { '"': '\\', '\n': '\u0001\u001f\u007f', '\u2028': '\ud800 \udc00 \ud83d\ude00' }],
  ['empty values', { object: {}, list: [], text: '', nothing: null, zero: -0 }],
])('canonicalJson agrees with the reference implementation of RFC 8785 for %s', (_, value) => {
  expect(canonicalJson(value)).toBe(canonicalize(value))
})

it.each([
  [0, true],
  [499, true],
  [500, false],
  [10_000, false],
])('canonicalJson accepts a list that is nested in %i others: %s', (levels, isAccepted) => {
  const value = JSON.parse(`${'['.repeat(levels + 1)}${']'.repeat(levels + 1)}`)
  if (isAccepted) expect(canonicalJson(value)).toBe(JSON.stringify(value))
  else expect(() => canonicalJson(value)).toThrow('it is nested more than 500 levels deep')
})

it('canonicalJson refuses a number that is out of range', () => {
  expect(() => canonicalJson(JSON.parse('[1e999]'))).toThrow('a number is out of range')
})
