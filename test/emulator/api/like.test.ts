import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileLike } from '../../../src/emulator/api/filters/like.ts'

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
  ])('%j matches %j: %s', (pattern, text, is) => {
    expect(compileLike(pattern)(text)).toBe(is)
  })

  it('gives the same result as an equivalent regular expression', () => {
    const part = fc.constantFrom('%', '_', 'a', 'b', '\\%', '\\_')
    const parts = fc.array(part, { maxLength: 8 })
    const meanings: Record<string, string> = { '%': '.*', _: '.', '\\%': '%', '\\_': '_' }
    fc.assert(
      fc.property(parts, fc.array(fc.constantFrom('a', 'b', '%', '_'), { maxLength: 8 }), (pattern, text) => {
        const expression = new RegExp(`^${pattern.map((one) => meanings[one] ?? one).join('')}$`)
        expect(compileLike(pattern.join(''))(text.join(''))).toBe(expression.test(text.join('')))
      }),
      { numRuns: 2000 },
    )
  })

  it('stays fast for a pattern with many wildcards', () => {
    const start = performance.now()
    expect(compileLike('%a'.repeat(50))(`${'a'.repeat(2000)}b`)).toBe(false)
    expect(performance.now() - start).toBeLessThan(500)
  })
})
