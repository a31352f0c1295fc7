import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { DELIVERIES } from '../../src/cli/doctor/delivery-probes.ts'
import { createSuite } from '../../src/cli/doctor/external-probes.ts'
import type { Suite } from '../../src/cli/doctor/probe.ts'
import { EXIT_CODES } from '../../src/cli/exit-codes.ts'
import { FRAMEWORKS } from '../../src/cli/init/layout.ts'
import { FAULTS } from '../../src/cli/trigger/faults.ts'

const PAGE = readFileSync('docs/cli.md', 'utf8')

it('the table of exit codes is that of the program', () => {
  const rows = Array.from(PAGE.matchAll(/^\| (\d+) \| (.*) \|$/gm), ([, code, meaning]) => ({
    code: Number(code),
    meaning,
  }))
  expect(rows).toEqual(Object.values(EXIT_CODES))
})

it('each command has a heading, and no other has one', () => {
  const headings = Array.from(PAGE.matchAll(/^## `hooklayer (.*)`$/gm), ([, name]) => name)
  expect([...headings].sort()).toEqual(Object.keys(COMMANDS).sort())
})

it('each fault of `trigger` is in its table', () => {
  for (const fault of Object.keys(FAULTS)) expect(PAGE).toContain(`| \`${fault}\` |`)
})

const listProbes = ({ forged, plain, others, afterwards }: Suite) => [forged, plain, ...others, afterwards]

it('each probe of `doctor` is in its table, and they are counted', () => {
  const probes = listProbes(DELIVERIES)
  const [table = ''] = PAGE.split('| signed probes |')[1]?.split('\n\n') ?? []
  const named = Array.from(table.matchAll(/`([^`]+)`/g), ([, name]) => name)
  expect(named.sort()).toEqual(probes.map(({ name }) => name).sort())
  expect(PAGE).toContain(`Sends ${probes.length} probes`)
  const asked = listProbes(createSuite('tax'))
  expect(PAGE).toContain(`sends ${asked.length} probes`)
  const added = asked.filter(({ name }) => !named.includes(name))
  for (const { name } of added) expect(PAGE).toContain(`\`${name}\``)
})

it('each framework of `init` is named', () => {
  for (const framework of Object.keys(FRAMEWORKS)) expect(PAGE).toMatch(new RegExp(`--framework.*\`${framework}\``))
})
