import { parseArgs } from 'node:util'
import { buildSubject } from './built.ts'
import { benchDelivery } from './deliver.ts'
import { benchEmulator } from './emulator.ts'
import { benchLinking } from './link.ts'
import { benchManagement } from './management.ts'
import { asMarkdown, asText, type Findings, machineLine, tableOfBars } from './report.ts'
import { benchServers } from './servers.ts'

/**
 * `npm run bench -- [--only deliver|link|servers|emulator|management] [--markdown]`. It takes fifteen minutes, and always succeeds: it tells what
 * was measured, and which of the project's bars were missed.
 */
const PARTS = {
  deliver: benchDelivery,
  link: benchLinking,
  servers: benchServers,
  emulator: benchEmulator,
  management: benchManagement,
}

const { values } = parseArgs({ options: { only: { type: 'string' }, markdown: { type: 'boolean', default: false } } })
const chosen = Object.entries(PARTS).filter(([name]) => values.only === undefined || values.only === name)
if (chosen.length === 0) throw new TypeError(`--only takes one of ${Object.keys(PARTS).join(', ')}.`)

const started = performance.now()
const progress = (message: string) => {
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${message}\n`)
}

await buildSubject()
const findings: Findings[] = []
for (const [, run] of chosen) findings.push(await run(progress))

const tables = [...findings.flatMap((found) => found.tables), tableOfBars(findings.flatMap(({ bars }) => bars))]
const show = values.markdown ? asMarkdown : asText
process.stdout.write(`${[machineLine(), ...tables.map(show)].join('\n\n')}\n`)
