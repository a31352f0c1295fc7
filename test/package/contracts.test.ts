import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { packTarball } from './pack.ts'

const run = promisify(execFile)

/** Stores and inboxes as somebody else writes them: right ones, and ones with a mistake. */
const SUITES = `
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { createMemoryStore } from 'hooklayer/stores/memory'
import { testInbox, testStore } from 'hooklayer/testing/contracts'

const place = (change) => async () => {
  const store = createMemoryStore()
  return { open: async () => ({ ...store, ...change(store) }), close: async () => {} }
}
testStore('right', place(() => ({})))
testStore('small', place(() => ({ erase: undefined, countFailures: undefined })), { unsupported: ['erase', 'countFailures'] })
testStore('forgetful', place((store) => ({ renew: async () => true })))

const keep = (change) => () => {
  let inbox
  return { open: (options) => (inbox ??= { ...createMemoryInbox(options), ...change }) }
}
testInbox('right', keep({}), { isDurable: false })
const nothing = { queued: 0, failed: 0, unhandled: 0, dead: 0, running: 0 }
testInbox('deaf', keep({ erase: async () => nothing }), { isDurable: false, timeoutMs: 1000 })
`

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly Result[] }[]
}

interface Result {
  readonly ancestorTitles: readonly string[]
  readonly status: 'passed' | 'failed' | 'skipped' | 'pending'
}

it('the contract suites run in a project that installs the package', { timeout: 240_000 }, async () => {
  const tarball = await packTarball()
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-contracts-'))
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'store', private: true, type: 'module' }))
    writeFileSync(join(folder, 'suites.test.js'), SUITES)
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', tarball, 'vitest@4', 'fast-check@4']
    await run('npm', install, { cwd: folder })
    const report = join(folder, 'report.json')
    const vitest = ['vitest', 'run', '--reporter=json', `--outputFile=${report}`]
    await run('npx', vitest, { cwd: folder, env: { ...process.env, VITEST: undefined } }).catch(() => {})
    const { default: results }: { default: Report } = await import(report, { with: { type: 'json' } })
    const all = results.testResults.flatMap(({ assertionResults }) => assertionResults)
    const count = (suite: string, status: Result['status']) =>
      all.filter((result) => result.ancestorTitles[0] === suite && result.status === status).length
    expect({ failed: count('right', 'failed'), small: count('small', 'failed') }).toEqual({ failed: 0, small: 0 })
    expect(count('right', 'passed')).toBeGreaterThan(100)
    expect(count('forgetful', 'failed')).toBeGreaterThan(0)
    expect(count('deaf', 'failed')).toBeGreaterThan(0)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
