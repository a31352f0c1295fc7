import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PAGES } from './pages.ts'
import { countWords } from './sentences.ts'

const INDEX = readFileSync('docs/decisions/README.md', 'utf8')
const DECISIONS = PAGES.filter((page) => /^docs\/decisions\/\d/.test(page))

describe.each(DECISIONS)('%s', (page) => {
  const text = readFileSync(page, 'utf8')

  it('has a date, a context, a decision and a consequence, in under 200 words', () => {
    expect(text).toMatch(
      /^# \d+\. .+\n\nDate: \d{4}-\d{2}-\d{2}\n\n## Context\n[^#]+## Decision\n[^#]+## Consequence\n[^#]+$/,
    )
    expect(countWords(text)).toBeLessThan(200)
  })

  it('is in the list of decisions', () => {
    expect(INDEX).toContain(`](${page.replace('docs/decisions/', '')})`)
  })
})
