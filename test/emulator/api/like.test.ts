import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { like } from '../../../src/emulator/api/filters/like.ts'

describe('LIKE', () => {
  it.each([
    ['', '', true],
    ['', 'a', false],
    ['%', '', true],
    ['_', '', false],
    ['%b', 'ab', true],
    ['%b', 'aba', false],
    ['a%c%e', 'abcde', true],
    ['%ab', 'aab', true],
    ['__', '𝄞é', true],
    ['100\\%', '100%', true],
    ['100\\%', '1000', false],
    ['a\\\\b', 'a\\b', true],
    ['A', 'a', false],
    ['%\n%', 'a\nb', true],
  ])('%j of %j: %s', (pattern, text, is) => {
    expect(like(pattern)(text)).toBe(is)
  })

  it('agrees with the regular expression that says the same', () => {
    const part = fc.constantFrom('%', '_', 'a', 'b', '\\%', '\\_')
    const parts = fc.array(part, { maxLength: 8 })
    const meanings: Record<string, string> = { '%': '.*', _: '.', '\\%': '%', '\\_': '_' }
    fc.assert(
      fc.property(parts, fc.array(fc.constantFrom('a', 'b', '%', '_'), { maxLength: 8 }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.map((one) => meanings[one] ?? one).join('')}$`)
        expect(like(pattern.join(''))(text.join(''))).toBe(expression.test(text.join('')))
      }),
      { numRuns: 2000 },
    )
  })

  it('takes no longer for a pattern that sends a regular expression back and forth', () => {
    const start = performance.now()
    expect(like('%a'.repeat(50))(`${'a'.repeat(2000)}b`)).toBe(false)
    expect(performance.now() - start).toBeLessThan(500)
  })
})
