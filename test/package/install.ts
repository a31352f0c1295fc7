/**
 * Packs the package, installs the tarball into an empty project, and uses it there as users do: from ES modules, from
 * CommonJS, and from TypeScript modules of both kinds. Exits non-zero at the first thing that does not work.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const project = mkdtempSync(join(tmpdir(), 'hooklayer-'))
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
const write = (name: string, text: string) => writeFileSync(join(project, name), text)

const USE = `
const receiver = createReceiver({ secrets: TEST_SECRET })
receiver.on('orders.place', ({ resource: order }) => { console.log(order.customer?.email) })
createDelivery('orders.place').then(async (delivery) => {
  const { status, body } = await receiver.receive(delivery)
  if (status !== 200) throw new Error(body)
  if (typeof createExpressMiddleware(receiver) !== 'function') throw new Error('no middleware')
})
`
const NAMES = {
  hooklayer: 'createReceiver',
  'hooklayer/express': 'createExpressMiddleware',
  'hooklayer/testing': 'createDelivery, TEST_SECRET',
}
const writeImports = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([from, names]) => `import { ${names} } from '${from}'`)
    .join('\n')
const writeRequires = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([from, names]) => `const { ${names} } = require('${from}')`)
    .join('\n')
/** The same program as JavaScript. */
const toJavaScript = (typescript: string) => typescript.replace(' as { port: number }', '')

/** Creates a webhook at a local Commerce Layer, reads its secret through the API, and receives its call. */
const CIRCLE = `
async function main() {
  const emulator = await createEmulator()
  const { url, organization, clientId, clientSecret } = emulator
  const management = createManagement({ url, organization, clientId, clientSecret })
  let callbackUrl = ''
  const receiver = createReceiver({ secrets: (topic) => management.secrets({ callbackUrl })(topic) })
  receiver.on('orders.place', { include: ['customer'] }, ({ resource: order }) => { console.log(order.customer.email) })
  const server = createServer(createNodeListener(receiver)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  callbackUrl = 'http://127.0.0.1:' + (server.address() as { port: number }).port
  await management.apply(await management.plan(receiver, { callbackUrl }))
  const [call] = await emulator.trigger('orders.place')
  if (call?.response_code !== '200') throw new Error('answered ' + call?.response_code)
  server.close()
  await emulator.close()
}
main()
`
const CIRCLE_NAMES = {
  hooklayer: 'createReceiver',
  'hooklayer/node': 'createNodeListener',
  'hooklayer/emulator': 'createEmulator',
  'hooklayer/management': 'createManagement',
  'node:http': 'createServer',
}
/** A dead letter says which handler has failed, although the receiver and the inbox are two files of the package. */
const DEAD_LETTER = `
async function main() {
  const inbox = createMemoryInbox()
  const receiver = createReceiver({ secrets: TEST_SECRET, inbox, logger: { warn() {}, error() {} } })
  receiver.on('orders.place', { name: 'erp' }, () => { throw new PermanentError('no use') })
  const worker = createWorker({ receiver, inbox })
  await receiver.receive(await createDelivery('orders.place'))
  for (let left = 500; left > 0 && (await inbox.statistics()).dead === 0; left--) await setTimeout(10)
  for await (const { error } of inbox.deadLetters.list()) console.log('failed in ' + error.handler)
  await worker.stop()
}
main()
`
const DEAD_LETTER_NAMES = {
  hooklayer: 'createReceiver, createWorker, PermanentError',
  'hooklayer/inboxes/memory': 'createMemoryInbox',
  'hooklayer/testing': 'createDelivery, TEST_SECRET',
  'node:timers/promises': 'setTimeout',
}
/**
 * A module whose own declarations name types of the package: without a public name for each, TypeScript reports TS2742.
 */
const DECLARED = `
export const receiver = createReceiver({ secrets: TEST_SECRET })
export const { on, receive, redeliver, handleStored } = receiver
export const delivery = createDelivery('orders.place')
`
const DECLARED_NAMES = { hooklayer: 'createReceiver', 'hooklayer/testing': 'createDelivery, TEST_SECRET' }
/** The same for drivers, with types for one of a user's own. */
const DRIVERS = `
export const store = createMemoryStore()
export const { deadLetters, statistics, put } = createMemoryInbox()
export const ownPut: Inbox['put'] = async (delivery: StoredDelivery) => (delivery.body.length > 0 ? 'stored' : 'full')
export const ownComplete: IdempotencyStore['complete'] = async () => true
`
const DRIVERS_NAMES = {
  'hooklayer/stores/memory': 'createMemoryStore',
  'hooklayer/inboxes/memory': 'createMemoryInbox',
  'hooklayer/drivers': 'type IdempotencyStore, type Inbox, type StoredDelivery',
}

try {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', project], { encoding: 'utf8' }),
  )
  write('package.json', JSON.stringify({ name: 'shop', private: true, type: 'module' }))
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`, 'express@5')
  write('esm.mjs', writeImports(NAMES) + USE)
  write('cjs.cjs', writeRequires(NAMES) + USE)
  write('typed.mts', writeImports(NAMES) + USE)
  write('typed.cts', writeImports(NAMES) + USE)
  const check = (file: string, expected: string) => {
    const output = run(process.execPath, file)
    if (!output.includes(expected)) throw new Error(`${file} printed ${output}`)
  }
  const checkThatItReceives = (file: string) => {
    check(file, 'john@example.com')
    console.log(`${file}: receives an order`)
  }
  for (const file of ['esm.mjs', 'cjs.cjs']) checkThatItReceives(file)
  write('circle.mjs', writeImports(CIRCLE_NAMES) + toJavaScript(CIRCLE))
  write('circle.cjs', writeRequires(CIRCLE_NAMES) + toJavaScript(CIRCLE))
  write('circle.mts', writeImports(CIRCLE_NAMES) + CIRCLE)
  for (const file of ['circle.mjs', 'circle.cjs']) checkThatItReceives(file)
  write('dead-letter.mjs', writeImports(DEAD_LETTER_NAMES) + DEAD_LETTER)
  write('dead-letter.cjs', writeRequires(DEAD_LETTER_NAMES) + DEAD_LETTER)
  for (const file of ['dead-letter.mjs', 'dead-letter.cjs']) check(file, 'failed in erp')
  const help = run('npx', 'hooklayer-emulator', '--help')
  if (!help.includes('--port')) throw new Error(`hooklayer-emulator --help printed ${help}`)
  for (const extension of ['mts', 'cts']) {
    write(`declared.${extension}`, writeImports(DECLARED_NAMES) + DECLARED)
    write(`drivers.${extension}`, writeImports(DRIVERS_NAMES) + DRIVERS)
  }
  const typescript = resolve('node_modules/typescript/bin/tsc')
  const types = resolve('node_modules/@types')
  const options = ['--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext', '--types', 'node']
  const emit = ['--declaration', '--emitDeclarationOnly', '--outDir', 'declarations']
  for (const sources of [
    ['typed.mts', 'typed.cts', 'circle.mts', 'drivers.mts', 'drivers.cts'],
    ['declared.mts', 'declared.cts'], // On their own: `drivers.mts` would load `hooklayer/drivers` for them.
  ]) {
    const words = [typescript, ...options, ...emit, '--typeRoots', types, ...sources]
    execFileSync(process.execPath, words, { cwd: project, stdio: 'inherit' })
    console.log(`${sources.join(', ')}: compile`)
  }
} finally {
  rmSync(project, { recursive: true })
}
