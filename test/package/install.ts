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
const imports = Object.entries(NAMES)
  .map(([from, names]) => `import { ${names} } from '${from}'`)
  .join('\n')
const requires = Object.entries(NAMES)
  .map(([from, names]) => `const { ${names} } = require('${from}')`)
  .join('\n')

try {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', project], { encoding: 'utf8' }),
  )
  write('package.json', JSON.stringify({ name: 'shop', private: true, type: 'module' }))
  run('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`, 'express@5')
  write('esm.mjs', imports + USE)
  write('cjs.cjs', requires + USE)
  write('typed.mts', imports + USE)
  write('typed.cts', imports + USE)
  for (const file of ['esm.mjs', 'cjs.cjs']) {
    const said = run(process.execPath, file)
    if (!said.includes('john@example.com')) throw new Error(`${file} printed ${said}`)
    console.log(`${file}: receives an order`)
  }
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
  )
  console.log('typed.mts, typed.cts: compile')
} finally {
  rmSync(project, { recursive: true })
}
