import { parseArgs } from 'node:util'
import { buildSubject } from './built.ts'
import { benchDelivery } from './deliver.ts'
import { benchEmulator } from './emulator.ts'
import { benchInboxes } from './inboxes.ts'
import { benchLinking } from './link.ts'
import { benchManagement } from './management.ts'
import { benchObservers } from './observers.ts'
import { benchRecorder } from './recorder.ts'
import { asMarkdown, asText, inOrder, machineLine, tableOfBars } from './report.ts'
import { benchResponder } from './responder.ts'
import { benchServers } from './servers.ts'
import { benchStores } from './stores.ts'

/**
 * `npm run bench -- [--only deliver|link|observers|recorder|responder|servers|emulator|management|stores|inboxes] [--quick] [--markdown]`.
 * It takes about 27 minutes and always succeeds: it prints what was measured, and which of the project's bars were
 * missed. The parts `stores` and `inboxes` need `redis-server` and PostgreSQL; `--quick` makes these two short, to work on them.
 */
const PARTS = {
  deliver: benchDelivery,
  link: benchLinking,
  observers: benchObservers,
  recorder: benchRecorder,
  responder: benchResponder,
  servers: benchServers,
  emulator: benchEmulator,
  management: benchManagement,
  stores: benchStores,
  inboxes: benchInboxes,
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean' }, markdown: { type: 'boolean', default: false } },
})
const chosen = Object.entries(PARTS).filter(([name]) => values.only === undefined || values.only === name)
if (chosen.length === 0) throw new TypeError(`--only takes one of ${Object.keys(PARTS).join(', ')}.`)

const started = performance.now()
const progress = (message: string) => {
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${message}\n`)
}

await buildSubject()
const { tables, bars } = await inOrder(
  chosen.map(([, run]) => run),
  progress,
)
const show = values.markdown ? asMarkdown : asText
process.stdout.write(`${[machineLine(), ...[...tables, tableOfBars(bars)].map(show)].join('\n\n')}\n`)
