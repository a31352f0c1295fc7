import { describe, expect, it } from 'vitest'
import { describeError } from '../../src/core/describe-error.ts'

const withStack = (message: string, stack: unknown) => Object.assign(new Error(message), { stack })

describe('describeError', () => {
  it.each([
    ['text', 'gone', 'gone'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('gone'), 'Symbol(gone)'],
    ['an object', { status: 404 }, '{"status":404}'],
    ['a function', Math.max, 'function max() { [native code] }'],
    ['an object with a message', { message: 'gone' }, 'Error: gone'],
    ['an error without a stack', withStack('gone', undefined), 'Error: gone'],
    ['an error whose message was changed', withStack('gone', 'Error: other\n    at forged'), 'Error: gone'],
    [
      'a message that looks like a stack',
      withStack('a\n    at b', 'Error: a\n    at b\n    at c'),
      'Error: a\\n    at b\n    at c',
    ],
    ['an object that refers to itself', Object.assign([], { 0: 0n }), 'An error that cannot be shown.'],
  ])('describes %s', (_, thrown, expected) => {
    expect(describeError(thrown)).toBe(expected)
  })

  it('says so if an error cannot be read', () => {
    const refuse = () => {
      throw new Error('trap')
    }
    expect(describeError(new Proxy({}, { get: refuse }))).toBe('An error that cannot be shown.')
  })

  it('leaves out the properties of libraries, which may hold secrets', () => {
    const thrown = Object.assign(new Error('gone'), { config: { headers: { authorization: 'Bearer s3cret' } } })
    expect(describeError(thrown)).not.toContain('s3cret')
  })

  it('bounds messages, frames, causes and the errors of an AggregateError', () => {
    const long = 'x'.repeat(3_000_000)
    const frames = Array.from({ length: 1000 }, () => `    at ${long.slice(0, 1000)}`).join('\n')
    const big = () => withStack(long, `Error: ${long}\n${frames}`)
    let chain = big()
    for (let depth = 0; depth < 100; depth++) chain = Object.assign(big(), { cause: chain })
    expect(describeError(chain).length).toBeLessThan(6 * (2000 + 20 * 301 + 20))
    const many = new AggregateError(
      Array.from({ length: 1000 }, () => 'one'),
      'many',
    )
    expect(describeError(many).match(/^one$/gm)).toHaveLength(10)
    const loop = new Error('loop')
    loop.cause = loop
    expect(describeError(loop).match(/loop/g)?.length).toBeGreaterThan(1)
  })
})
