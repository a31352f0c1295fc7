import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { isTopic, isTopicPattern } from '../../src/commerce-layer/topic-patterns.ts'

/** Every regular expression that is written in `src/`. */
function* findExpressions(): Generator<[place: string, expression: RegExp]> {
  for (const entry of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts')) continue
    const file = ts.createSourceFile(entry, readFileSync(join('src', entry), 'utf8'), ts.ScriptTarget.Latest, true)
    const found: [string, RegExp][] = []
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const [, source = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(node.text) ?? []
        const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1
        found.push([`${node.text} (${entry}:${line})`, new RegExp(source, flags)])
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
    yield* found
  }
}

/** Long texts that nearly match: what an expression is made of, repeated, with something before and something after. */
function* makeTexts({ source }: RegExp, length: number): Generator<string> {
  const words = source.match(/[A-Za-z_]{2,}/g) ?? []
  const signs = Array.from(new Set(source.replace(/\\[a-z]/gi, '').match(/[^\w\s]/g)))
  for (const start of new Set(['', 'a', '"', ...words, ...words.map((word) => `${word} `)])) {
    for (const unit of new Set([...'a0 _./"', 'a.', ...words, ...signs])) {
      const row = start + unit.repeat(length / unit.length)
      yield row
      yield `${row}!`
      yield `${row}\u0000a`
    }
  }
}

function timeOf(act: () => unknown): number {
  const begin = performance.now()
  act()
  return performance.now() - begin
}

const SHORT = 2000
const TIMES = 10
/** Linear work takes 10 times as long, and quadratic work 100 times. */
const MOST_TIMES = 30
/** Below this, the clock and other processes decide. A quadratic expression takes more for the long text. */
const NOISE_MS = 30

/** A text for which the time grows faster than its length. */
function findSlow(expression: RegExp): string | undefined {
  const short = makeTexts(expression, SHORT)
  for (const long of makeTexts(expression, SHORT * TIMES)) {
    const inShort = String(short.next().value)
    const measure = (text: string) => timeOf(() => text.replace(expression, ''))
    if (measure(long) < NOISE_MS) continue
    const time = Math.min(measure(long), measure(long))
    if (time > Math.max(NOISE_MS, MOST_TIMES * measure(inShort))) return `${long.slice(0, 20)}…${long.slice(-5)}`
  }
  return undefined
}

describe('no regular expression of the sources takes quadratic time on a long text', () => {
  it.each(Array.from(findExpressions()))('%s', (_, expression) => {
    expect(findSlow(expression)).toBeUndefined()
  })

  it('nor do those of topics, which any sender can choose', () => {
    const texts = Array.from(makeTexts(/[a-z]._*/, 100_000))
    for (const text of texts) expect([isTopic(text), isTopicPattern(text)]).toEqual([false, expect.any(Boolean)])
  })

  it('as this test finds out: a row of slashes that does not end the text', () => {
    expect(findSlow(/\/+$/)).toMatch(/^\/+…/)
  })
})
