import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/security.md', root), 'utf8')

const ADVERSARIES = [
  ...['stranger', 'captured delivery', 'shopper', 'tenant', 'web page', 'let in', 'on the machine'],
  ...['writes to the store', 'impostor'],
]

/** A promise of the page, and the test that it names: a file, and a part of the test's name. */
interface Row {
  readonly promise: string
  readonly file: string
  readonly name: string
}

const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| cannot'))
  .map((line): Row => {
    const [, promise = '', test = ''] = line.split('|').map((cell) => cell.trim())
    const [, file = '', name = ''] = /^`((?:test|src\/contracts)\/[\w./-]+)` "(.+)"$/.exec(test) ?? []
    return { promise, file, name }
  })

describe('the threat model', () => {
  it.each(ADVERSARIES)('has a chapter about %s', (adversary) => {
    expect(page.split('\n').filter((line) => line.startsWith('## ') && line.includes(adversary))).toHaveLength(1)
  })

  it('has several promises in each of its tables', () => {
    expect(rows.length).toBeGreaterThan(ADVERSARIES.length * 3)
  })

  it.each(rows)('names a test that exists: cannot $promise', ({ file, name }) => {
    expect(file).not.toBe('')
    expect(existsSync(new URL(file, root))).toBe(true)
    expect(readFileSync(new URL(file, root), 'utf8')).toContain(name)
  })
})
