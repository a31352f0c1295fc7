import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, expect } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { NEXT_PATHS } from '../fixtures/next-modules.ts'
import { itUnless } from '../unless.ts'
import { type CodeBlock, parseCodeBlocks } from './code-blocks.ts'
import { MANUAL } from './pages.ts'

/** Pages import `next/server`. */
const noNext = await installFixture('next')

const FOLDER = 'test/docs/.blocks/compile'

const BLOCKS = MANUAL.flatMap((page) =>
  parseCodeBlocks(page)
    .filter(({ language }) => language === 'ts')
    .map((block) => ({ page, block, file: fileFor(page, block) })),
)

/** A block whose title is the name of a file has that name, so that others of its page can import it. */
function fileFor(page: string, { title, line }: CodeBlock): string {
  return join(FOLDER, page.replace(/\.md$/, ''), title.endsWith('.ts') ? title : `line-${line}.ts`)
}

beforeAll(() => {
  for (const { block, file } of BLOCKS) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${block.code}\nexport {}\n`)
  }
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

itUnless(noNext)(
  'compiles every block of TypeScript in the README and the manual',
  () => {
    const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
    // A reader's `fetch`, `Request` and `Response` come with their Node's types.
    const files = BLOCKS.map(({ file }) => file)
    const program = ts.createProgram(files, {
      ...options,
      paths: { ...options.paths, ...NEXT_PATHS },
      noUnusedLocals: false,
      noUnusedParameters: false,
    })
    const complaints = ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
      const from = BLOCKS.find((block) => file?.fileName.endsWith(block.file))
      const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
      const place = from ? `${from.page}:${from.block.line + line}` : `${file?.fileName}:${line}`
      return `${place} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
    expect(complaints).toEqual([])
    expect(files.length).toBeGreaterThanOrEqual(5)
    expect(new Set(files).size).toBe(files.length)
  },
  120_000,
)
