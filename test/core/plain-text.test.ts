import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundText, escapeText } from '../../src/core/plain-text.ts'

describe('boundText', () => {
  it('gives a text of up to 2,000 characters as it is', () => {
    for (const text of ['', 'gone', 'x'.repeat(2000)]) expect(boundText(text)).toBe(text)
  })

  it('cuts a longer one, and marks it', () => {
    expect(boundText('x'.repeat(2001))).toBe(`${'x'.repeat(1999)}…`)
    expect(boundText('abcdef', 4)).toBe('abc…')
  })

  it('never gives half of a surrogate pair, or more than the bound', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 2, max: 20 }), (text, bound) => {
        const bounded = boundText(text, bound)
        expect(bounded.length).toBeLessThanOrEqual(bound)
        expect(bounded).not.toMatch(/\p{Cs}/u)
      }),
    )
  })
})

describe('escapeText', () => {
  it('escapes controls and what turns the direction, and leaves other text', () => {
    const text = 'Grüße 👍🏽 日本語 "\\ %s'
    expect(escapeText(text)).toBe(text)
    expect(escapeText('\r\n\t\u001b\u0000\u009f\u202e\u2028\ud800')).toBe(
      '\\r\\n\\t\\u001b\\u0000\\u009f\\u202e\\u2028\\ud800',
    )
  })
})
