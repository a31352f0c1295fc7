import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { codeOf, EXAMPLES } from '../examples/sources.ts'
import { FRAMEWORK_PATHS } from '../fixtures/framework-modules.ts'
import { installFixture } from '../fixtures/install.ts'
import { NEXT_PATHS } from '../fixtures/next-modules.ts'
import { describeUnless } from '../unless.ts'
import { type CodeBlock, parseCodeBlocks } from './code-blocks.ts'
import { MANUAL } from './pages.ts'

/** Pages and examples import `next/server`, `h3`, `@sentry/node` and others. */
const fixtures = await Promise.all((['next', 'frameworks', 'sentry'] as const).map(installFixture))
const missing = fixtures.find(Boolean)

const SENTRY_PATHS = { '@sentry/node': ['./test/fixtures/sentry/node_modules/@sentry/node'] }

const FOLDER = 'test/docs/.blocks/compile'

const BLOCKS = MANUAL.flatMap((page) =>
  parseCodeBlocks(page)
    .filter(({ language }) => language === 'ts')
    .map((block) => ({ page, block, file: fileFor(page, block) })),
)

/** A block whose title is the path of a file has that path, so that others of its page can import it, and it them. */
function fileFor(page: string, { title, line }: CodeBlock): string {
  return join(FOLDER, page.replace(/\.md$/, ''), /\.m?ts$/.test(title) ? title : `line-${line}.ts`)
}

beforeAll(() => {
  for (const { block, file } of BLOCKS) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${block.code}\nexport {}\n`)
  }
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

describeUnless(missing)('one program of TypeScript', { timeout: 120_000 }, () => {
  it('compiles every block of TypeScript in the README and the manual', () => {
    const files = BLOCKS.map(({ file }) => file)
    // What a block declares is often for the reader only.
    expect(complaintsAbout(files, ({ reportsUnnecessary }) => !reportsUnnecessary)).toEqual([])
    expect(files.length).toBeGreaterThanOrEqual(5)
    expect(new Set(files).size).toBe(files.length)
  })

  it('compiles the examples, their JavaScript too', () => {
    expect(complaintsAbout(EXAMPLES.flatMap(codeOf))).toEqual([])
  })
})

let program: ts.Program | undefined

/**
 * One program for all: the types of Node, Next and the SDK are large. It checks neither these nor `src`, which `npm run
 * types` does.
 */
function getProgram(): ts.Program {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  // A reader's `fetch`, `Request` and `Response` come with their Node's types.
  program ??= ts.createProgram([...BLOCKS.map(({ file }) => file), ...EXAMPLES.flatMap(codeOf)], {
    ...options,
    paths: { ...options.paths, ...NEXT_PATHS, ...FRAMEWORK_PATHS, ...SENTRY_PATHS },
    allowJs: true,
    checkJs: true,
  })
  return program
}

function complaintsAbout(
  files: readonly string[],
  counts: (diagnostic: ts.Diagnostic) => boolean = () => true,
): string[] {
  const program = getProgram()
  return files
    .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
    .filter(counts)
    .map(describeComplaint)
}

function describeComplaint({ messageText, file, start = 0 }: ts.Diagnostic): string {
  const from = BLOCKS.find((block) => file?.fileName.endsWith(block.file))
  const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
  const place = from ? `${from.page}:${from.block.line + line}` : `${file?.fileName}:${line}`
  return `${place} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}
