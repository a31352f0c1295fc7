import { expect, it } from 'vitest'
import { installFixture } from '../fixtures/install.ts'
import { describeUnless } from '../unless.ts'
import { runScript } from './child.ts'
import { HANDLED, PRINTED, REFUSED, testServerExample } from './server-example.ts'
import { useShop } from './shop.ts'

const missing = (await installFixture('frameworks')) ?? (await installFixture('bun'))

describeUnless(missing)('examples, installed from the packed package', { timeout: 120_000, concurrent: true }, () => {
  const shop = useShop('h3', 'hapi', 'nitro', 'elysia', 'express-lambda')

  testServerExample(shop, 'h3')
  testServerExample(shop, 'hapi')
  testServerExample(shop, 'elysia')
  testServerExample(shop, 'nitro', { build: (folder) => runScript(folder, 'build') })

  it('express-lambda receives an order and refuses a forged one', async () => {
    const folder = shop.folderOf('express-lambda')
    const output = await runScript(folder, 'start')
    expect(output).toContain(HANDLED)
    expect(output).toContain(PRINTED)
    expect(await runScript(folder, 'start', { args: ['a-guess'] })).toMatch(REFUSED)
  })
})
