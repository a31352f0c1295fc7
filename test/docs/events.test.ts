import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, it } from 'vitest'

const SOURCE = 'src/core/observed-events.ts'
const page = readFileSync('docs/observability.md', 'utf8')
const program = ts.createProgram([SOURCE], { strict: true, allowImportingTsExtensions: true, noEmit: true })
const checker = program.getTypeChecker()

function fieldsOf(type: ts.Type): string[] {
  return checker.getPropertiesOfType(type).map(({ name }) => name)
}

function findType(name: string): ts.Type {
  const source = program.getSourceFile(SOURCE)
  const module = source && checker.getSymbolAtLocation(source)
  const symbol = module && checker.getExportsOfModule(module).find((one) => one.name === name)
  if (!symbol) throw new Error(`${SOURCE} exports no ${name}.`)
  return checker.getDeclaredTypeOfSymbol(symbol)
}

/** The rows of a table below a heading: the names in code of each cell. */
function readTable(firstCell: string): string[][] {
  const table = page.slice(page.indexOf(`| ${firstCell} |`)).split('\n\n')[0] ?? ''
  const rows = table.split('\n').slice(2)
  return rows.map((row) =>
    row.split('|').map((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name]) => name).join()),
  )
}

it('the page has each event, with all of its fields', () => {
  const details = findType('EventDetails')
  const source = program.getSourceFile(SOURCE) as ts.SourceFile
  const code = checker
    .getPropertiesOfType(details)
    .map((property) => [property.name, fieldsOf(checker.getTypeOfSymbolAtLocation(property, source)).sort().join()])
  const documented = readTable('type').map(([, type, , fields = '']) => [type, fields.split(',').sort().join()])
  expect(documented.sort()).toEqual(code.sort())
})

it('the page has the fields that all events have, and the members of an observer', () => {
  const common = fieldsOf(findType('AttemptInfo')).filter((name) => name !== 'toJSON')
  const documented = readTable('field').flatMap(([, names = '']) => names.split(','))
  expect(documented.sort()).toEqual([...common, 'type'].sort())
  const members = readTable('member').map(([, name = '']) => name.replace(/\(.*/, ''))
  expect(members.sort()).toEqual(fieldsOf(findType('Observer')).sort())
})
