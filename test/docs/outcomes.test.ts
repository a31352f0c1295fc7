import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERRORS, OUTCOMES } from '../../src/core/outcomes.ts'
import { MANUAL } from './pages.ts'

const PAGE = 'docs/responses-and-error-codes.md'

/** The rows of a page's tables that give a status to an outcome, or a status and whether to retry to an error code. */
function parseRows(page: string) {
  const text = readFileSync(page, 'utf8')
  return Array.from(
    text.matchAll(/^\| `([A-Za-z_]+)` \| (\d{3}) \|(?: (yes|no) \|)?/gm),
    ([, name = '', status, retryable]) => ({ name, status: Number(status), retryable }),
  )
}

const outcomes = Object.entries(OUTCOMES).map(([name, status]) => ({ name, status, retryable: undefined }))
const errors = Object.entries(ERRORS).map(([name, [status, retryable]]) => {
  return { name, status, retryable: retryable ? 'yes' : 'no' }
})
const table = [...outcomes, ...errors]
const byName = (rows: readonly { readonly name: string }[]) => [...rows].sort((a, b) => a.name.localeCompare(b.name))

describe('the table of outcomes and error codes', () => {
  it('is in the manual with every status and what may be retried, and has nothing else there', () => {
    expect(byName(parseRows(PAGE))).toEqual(byName(table))
  })

  it.each(MANUAL)('is not contradicted by a table of %s', (page) => {
    for (const row of parseRows(page)) {
      const entry = table.find(({ name }) => name === row.name)
      if (entry) expect(row).toEqual({ ...entry, retryable: row.retryable && entry.retryable })
    }
  })
})
