import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { ALLOWED_FIELDS } from '../../src/recorder/allowed-fields.ts'

it('the manual lists the fields that a recorder shows, and no others', () => {
  const text = readFileSync('docs/recorder.md', 'utf8')
  const table = text.slice(text.indexOf('| field |'), text.indexOf('`true`, `false` and `null`'))
  const named = Array.from(table.matchAll(/^\| (`[^|]*)\|/gm), ([, cell]) =>
    Array.from(String(cell).matchAll(/`([^`]+)`/g), ([, name]) => String(name)),
  ).flat()
  // These are shown by rules of their own.
  expect(named.toSorted()).toEqual([...Object.keys(ALLOWED_FIELDS), 'id', 'type', 'number'].toSorted())
})
