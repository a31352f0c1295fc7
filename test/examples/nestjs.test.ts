import { execFile } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseCodeBlocks } from '../docs/code-blocks.ts'
import { testServerExample } from './server-example.ts'
import { useShop } from './shop.ts'

/** What the starter of Nest 10 differs in from that of Nest 11. */
const NEST_10 = { module: 'commonjs', moduleResolution: 'node10', isolatedModules: false, target: 'ES2021' }

describe('examples, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop('nestjs')

  // Nest ends with the signal itself, once it has shut down.
  testServerExample(shop, 'nestjs', { build: buildWithTypes, exitCode: 'SIGTERM' })

  it('nestjs has types that are no `any` by the options of the starter of Nest 10, too', async () => {
    const folder = shop.copyOf('nestjs')
    const file = join(folder, 'tsconfig.json')
    const config = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify({ ...config, compilerOptions: { ...config.compilerOptions, ...NEST_10 } }))
    await buildWithTypes(folder)
  })
})

it('the page about NestJS shows the files of the example as they are', () => {
  const shown = parseCodeBlocks('docs/nestjs.md').filter(({ title }) => title.startsWith('src/'))
  expect(shown).toHaveLength(3)
  for (const { title, code } of shown) expect(code).toBe(readFileSync(`examples/nestjs/${title}`, 'utf8'))
})

/**
 * Compiles to CommonJS by the options of Nest's own starter, with a file that says which types are wrong. The error has
 * what the compiler says.
 */
async function buildWithTypes(folder: string): Promise<void> {
  cpSync('test/nestjs/typed.ts', join(folder, 'src/typed.ts'))
  const words = [resolve('node_modules/typescript/bin/tsc'), '--typeRoots', resolve('node_modules/@types')]
  await promisify(execFile)(process.execPath, words, { cwd: folder }).catch(({ stdout }) => {
    throw new Error(stdout)
  })
}
