/**
 * Packs the package, installs the tarball into an empty project, and uses it there as its users do: from ESM, from CommonJS,
 * and from TypeScript in both ways of resolving modules. Exits non-zero at the first thing that does not work.
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
const importsOf = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([from, names]) => `import { ${names} } from '${from}'`)
    .join('\n')
const requiresOf = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([from, names]) => `const { ${names} } = require('${from}')`)
    .join('\n')
/** The same program as JavaScript. */
const plain = (typescript: string) => typescript.replace(' as { port: number }', '')

/** A local Commerce Layer calls a webhook that was made through its API; the receiver gets its secret from there. */
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
const PEERS = ['hono', '@hono/node-server']

try {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', project], { encoding: 'utf8' }),
  )
  write('package.json', JSON.stringify({ name: 'shop', private: true, type: 'module' }))
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`, 'express@5')
  write('esm.mjs', importsOf(NAMES) + USE)
  write('cjs.cjs', requiresOf(NAMES) + USE)
  write('typed.mts', importsOf(NAMES) + USE)
  write('typed.cts', importsOf(NAMES) + USE)
  const receivesAnOrder = (file: string) => {
    const said = run(process.execPath, file)
    if (!said.includes('john@example.com')) throw new Error(`${file} printed ${said}`)
    console.log(`${file}: receives an order`)
  }
  for (const file of ['esm.mjs', 'cjs.cjs']) receivesAnOrder(file)
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', ...PEERS)
  write('circle.mjs', importsOf(CIRCLE_NAMES) + plain(CIRCLE))
  write('circle.cjs', requiresOf(CIRCLE_NAMES) + plain(CIRCLE))
  write('circle.mts', importsOf(CIRCLE_NAMES) + CIRCLE)
  for (const file of ['circle.mjs', 'circle.cjs']) receivesAnOrder(file)
  const help = run('npx', 'hooklayer-emulator', '--help')
  if (!help.includes('--port')) throw new Error(`hooklayer-emulator --help printed ${help}`)
  const typescript = resolve('node_modules/typescript/bin/tsc')
  const types = resolve('node_modules/@types')
  run(
    process.execPath,
    typescript,
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--typeRoots',
    types,
    '--types',
    'node',
    'typed.mts',
    'typed.cts',
    'circle.mts',
  )
  console.log('typed.mts, typed.cts, circle.mts: compile')
} finally {
  rmSync(project, { recursive: true })
}
