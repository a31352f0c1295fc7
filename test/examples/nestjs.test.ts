import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseCodeBlocks } from '../docs/code-blocks.ts'
import { testServerExample } from './server-example.ts'
import { useShop } from './shop.ts'

describe('examples, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop('nestjs')

  // Nest ends with the signal itself, once it has shut down.
  testServerExample(shop, 'nestjs', { build, exitCode: 'SIGTERM' })
})

it('the page about NestJS shows the files of the example as they are', () => {
  const shown = parseCodeBlocks('docs/nestjs.md').filter(({ title }) => title.startsWith('src/'))
  expect(shown).toHaveLength(3)
  for (const { title, code } of shown) expect(code).toBe(readFileSync(`examples/nestjs/${title}`, 'utf8'))
})

/** Compiles to CommonJS by the options of Nest's own starter. */
async function build(folder: string): Promise<void> {
  await promisify(execFile)(
    process.execPath,
    [resolve('node_modules/typescript/bin/tsc'), '--typeRoots', resolve('node_modules/@types')],
    { cwd: folder },
  )
}
