import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { ENTRIES } from '../../entries.ts'
import { MANUAL } from './pages.ts'

const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
const program = ts.createProgram(Object.values(ENTRIES), options)
const checker = program.getTypeChecker()

const lines = MANUAL.flatMap((page) => readFileSync(page, 'utf8').split('\n'))
const namesIn = (text: string) => Array.from(text.matchAll(/\w+/g), ([name]) => name)
/** What users give: named in the first cell of a row. */
const inTables = new Set(lines.flatMap((line) => namesIn(/^\| (`[^|]*)\|/.exec(line)?.[1] ?? '')))
/** What a store or an inbox is given: named anywhere. */
const named = new Set(lines.flatMap(namesIn))
const FOR_DRIVERS = ['CompleteOptions', 'ReleaseOptions', 'RenewOptions', 'ReserveOptions', 'ConsumeOptions']
/** Part of what `createDelivery` is given, which is documented as a whole. */
const PARTS = ['DocumentOptions']

const OPTIONS = /(Options|Query|Arguments|Filter)$/
const types = new Map<string, ts.Symbol>()
for (const entry of Object.values(ENTRIES)) {
  const source = program.getSourceFile(entry)
  const module = source && checker.getSymbolAtLocation(source)
  for (const exported of module ? checker.getExportsOfModule(module) : []) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    if (OPTIONS.test(exported.name)) types.set(exported.name, symbol)
  }
}

/** All fields of a type; of each part, if it is a union. */
function fieldsOf(symbol: ts.Symbol): ts.Symbol[] {
  const type = checker.getDeclaredTypeOfSymbol(symbol)
  const parts = type.isUnion() ? type.types : [type]
  return parts.flatMap((part) => checker.getPropertiesOfType(part))
}

it('finds the types of options', () => {
  expect([...types.keys()]).toEqual(expect.arrayContaining(['ReceiverOptions', 'PlanOptions', 'RecoverOptions']))
})

it.each([...types])('the manual lacks no field of %s', (name, symbol) => {
  if (PARTS.includes(name)) return
  const documented = FOR_DRIVERS.includes(name) ? named : inTables
  expect(fieldsOf(symbol).flatMap(({ name }) => (documented.has(name) ? [] : [name]))).toEqual([])
})

it.each([...types])('no field of %s that may be left out refuses `undefined`', (_, symbol) => {
  const refusing = fieldsOf(symbol).flatMap(({ name, declarations = [] }) => {
    const optional = declarations.filter((one) => ts.isPropertySignature(one) && one.questionToken)
    return optional.every((one) => /\bundefined$|\bunknown$/.test(one.getText())) ? [] : [name]
  })
  expect(refusing).toEqual([])
})
