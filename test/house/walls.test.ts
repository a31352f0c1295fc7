import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** Imports that Biome must refuse, at least one for each rule of `biome.json`: the importing file, and the import. */
const FORBIDDEN: readonly (readonly [file: string, specifier: string])[] = [
  ['src/commerce-layer/topics.ts', '../core/errors.ts'],
  ['src/core/outcome.ts', './handle/dispatch.ts'],
  ['src/core/platform.ts', 'node:crypto'],
  ['src/core/http/admit.ts', '../verify/signature.ts'],
  ['src/core/http/budget.ts', 'node:timers'],
  ['src/core/verify/authenticate.ts', '../event/event.ts'],
  ['src/core/verify/diagnose.ts', '../inbox/inbox.ts'],
  ['src/core/event/event.ts', '../handle/handlers.ts'],
  ['src/core/handle/dispatch.ts', '../idempotency/idempotency.ts'],
  ['src/core/handle/report.ts', '../inbox/inbox.ts'],
  ['src/core/idempotency/idempotency.ts', '../inbox/inbox.ts'],
  ['src/core/inbox/store-delivery.ts', '../handle/dispatch.ts'],
  ['src/receiver/receiver.ts', '../bridge/node.ts'],
  ['src/responder/responder.ts', '../bridge/node.ts'],
  ['src/responder/contracts/tax.ts', '../answering.ts'],
  ['src/schema/check-schema.ts', '../management/management.ts'],
  ['src/wire/document.ts', './samples/sample.ts'],
  ['src/wire/samples/sample.ts', '../../testing/delivery.ts'],
  ['src/bridge/node.ts', '../receiver/receiver.ts'],
  ['src/bridge/web.ts', './node.ts'],
  ['src/adapters/koa.ts', './express.ts'],
  ['src/adapters/express.ts', '../core/verify/signature.ts'],
  ['src/nestjs/module.ts', '../receiver/receiver.ts'],
  ['src/telemetry/spans.ts', '../core/observe.ts'],
  ['src/recorder/recorder.ts', '../receiver/receiver.ts'],
  ['src/recorder/memory/memory-records.ts', '../file/writer.ts'],
  ['src/recorder/file/writer.ts', '../../inboxes/queue/compressed-body.ts'],
  ['src/sqlite/open.ts', '../stores/sqlite.ts'],
  ['src/stores/redis.ts', '../inboxes/memory.ts'],
  ['src/inboxes/memory.ts', '../stores/memory.ts'],
  ['src/inboxes/queue/queue.ts', '../sqlite/queue.ts'],
  ['src/inboxes/memory/queue.ts', '../sqlite/rows.ts'],
  ['src/inboxes/sqlite/queue.ts', '../bullmq/job.ts'],
  ['src/inboxes/memory/queue.ts', '../sqlite/rows.ts'],
  ['src/inboxes/bullmq/queue.ts', '../sqlite/rows.ts'],
  ['src/management/management.ts', '../core/errors.ts'],
  ['src/management/client/client.ts', '../resources/webhooks.ts'],
  ['src/management/resources/webhooks.ts', '../subscribe/plan.ts'],
  ['src/management/recover/recover.ts', '../subscribe/plan.ts'],
  ['src/management/subscribe/plan.ts', '../recover/recover.ts'],
  ['src/emulator/emulator.ts', '../receiver/receiver.ts'],
  ['src/emulator/api/app.ts', '../sender/sender.ts'],
  ['src/emulator/api/filters/filter.ts', '../../sender/sender.ts'],
  ['src/emulator/sender/sender.ts', '../api/app.ts'],
  ['src/dashboard/index.ts', '../receiver/receiver.ts'],
  ['src/dashboard/server/deliveries.ts', '../../receiver/receiver.ts'],
  ['src/dashboard/ui/app.ts', '../server/dashboard.ts'],
  ['src/dashboard/ui/deliveries/list.ts', '../../server/dashboard.ts'],
  ['src/dashboard/ui/inbox/use-inbox-list.ts', '../../../core/errors.ts'],
  ['src/dashboard/ui/parts/text.ts', '../../server/dashboard.ts'],
  ['src/emulator/holders/check-answer.ts', '../../responder/responder.ts'],
  ['src/testing/delivery.ts', '../receiver/receiver.ts'],
  ['src/contracts/helpers.ts', '../core/errors.ts'],
  ['src/config.ts', './receiver/receiver.ts'],
  ['src/cli/main.ts', '../receiver/receiver.ts'],
  ['src/cli/main.ts', './commands/verify.ts'],
  ['src/cli/dev/ports.ts', '../../receiver/receiver.ts'],
  ['src/cli/terminal/ask.ts', '../commands/verify.ts'],
  ['src/cli/commands/verify.ts', '../../core/errors.ts'],
  ['src/cli/commands/verify.ts', './trigger.ts'],
]

interface Diagnostic {
  readonly category: string
  readonly location: { readonly path: string | { readonly file: string } }
}

let folder: string
let diagnostics: ReadonlySet<string>

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'walls-'))
  const { vcs, ...config } = JSON.parse(readFileSync('biome.json', 'utf8'))
  write('biome.json', JSON.stringify({ ...config, $schema: undefined }))
  FORBIDDEN.forEach(([file, specifier], i) => {
    write(addNumber(file, i), `export * from '${specifier}'\n`)
  })
  write('src/core/cycle-one.ts', "export * from './cycle-two.ts'\n")
  write('src/core/cycle-two.ts', "import type { One } from './cycle-one.ts'\n\nexport type Two = One\n")
  diagnostics = lint()
}, 30_000)
afterAll(() => rmSync(folder, { recursive: true }))

describe('the lint refuses an import', () => {
  it.each(FORBIDDEN.map((pair, i) => [...pair, i] as const))('of %s: %s', (file, _, i) => {
    expect(diagnostics).toContain(`noRestrictedImports ${addNumber(file, i)}`)
  })

  it('that closes a cycle, of types as well', () => {
    expect(diagnostics).toContain('noImportCycles src/core/cycle-two.ts')
  })
})

it('each rule about imports has a case in this test', () => {
  const { overrides } = JSON.parse(readFileSync('biome.json', 'utf8')) as {
    overrides: { includes: string[]; linter: { rules: { style: { noRestrictedImports?: unknown } } } }[]
  }
  const walls = overrides.filter(({ linter }) => linter.rules.style.noRestrictedImports)
  const folders = walls.flatMap(({ includes }) => includes.filter((pattern) => !pattern.startsWith('!')))
  const untested = folders.filter((pattern) => !FORBIDDEN.some(([file]) => dirname(file) === dirname(pattern)))
  expect(untested).toEqual([])
})

function write(path: string, text: string): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

/** The path with a number: each case is a file of its own, even where two have the same path. */
function addNumber(file: string, i: number): string {
  return file.replace(/\.ts$/, `-${i}.ts`)
}

/** The diagnostics of Biome, each as `rule path`. */
function lint(): ReadonlySet<string> {
  const { stdout } = spawnSync(
    process.execPath,
    [
      createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome'),
      'lint',
      '--reporter=json',
      '--max-diagnostics=none',
      folder,
    ],
    { cwd: folder, encoding: 'utf8' },
  )
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Diagnostic[] }
  return new Set(
    diagnostics.map(({ category, location: { path } }) => {
      const file = typeof path === 'string' ? path : path.file
      return `${category.split('/').at(-1)} ${file.slice(file.indexOf('src/'))}`
    }),
  )
}
