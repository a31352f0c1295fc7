import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TEST_SECRET } from 'hooklayer/testing'
import { expect, it, onTestFinished, vi } from 'vitest'
import { EXTERNAL_RESOURCES } from '../../src/commerce-layer/external-resources.ts'
import { freePorts } from '../servers/process.ts'
import { type CodeBlock, parseCodeBlocks } from './code-blocks.ts'
import { createShopFolder, runCommand } from './shell.ts'

/** The first block of a language. */
function findCode(blocks: readonly CodeBlock[], language: string): string {
  const found = blocks.find((block) => block.language === language)
  if (!found) throw new Error(`The page has no block of ${language}.`)
  return found.code
}

it.for(Object.keys(EXTERNAL_RESOURCES))(
  'the example of the page of "%s" prints what the page shows',
  {
    timeout: 60_000,
  },
  async (kind) => {
    const blocks = parseCodeBlocks(`docs/external-${kind}.md`)
    const [port] = await freePorts(1)
    const files = blocks.flatMap(({ title, code }) =>
      title.endsWith('.ts') ? [[title, code.replace(/\b3000\b/, String(port))]] : [],
    )
    const folder = await createShopFolder({ 'package.json': '{ "type": "module" }', ...Object.fromEntries(files) })
    const trying = runCommand(findCode(blocks, 'sh'), folder)
    expect(await trying.ended()).toBe(0)
    expect(trying.output()).toBe(findCode(blocks, 'text'))
  },
)

it('the test of the overview passes', async () => {
  const folder = resolve('test/docs/.blocks/external-resources')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  onTestFinished(() => void vi.unstubAllEnvs())
  vi.stubEnv('CL_SECRET_TAX', TEST_SECRET)
  mkdirSync(folder, { recursive: true })
  for (const { title, code } of parseCodeBlocks('docs/external-resources.md')) {
    if (title.endsWith('.ts')) writeFileSync(join(folder, title), code)
  }
  await expect(import(join(folder, 'tax.test.ts'))).resolves.toBeDefined()
})
