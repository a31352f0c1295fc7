import { describe, expect, it } from 'vitest'
import { runScript } from './child.ts'
import { hangUpOnStreams } from './hang-ups.ts'
import { HANDLED, PRINTED, REFUSED, testServerExample } from './server-example.ts'
import { useShop } from './shop.ts'

const SERVERS = ['express', 'koa', 'fastify', 'hono']

describe.concurrent('examples, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop(...SERVERS, 'custom-adapter', 'lambda')

  for (const example of SERVERS) testServerExample(shop, example)
  testServerExample(shop, 'custom-adapter', { hangUp: hangUpOnStreams, probed: false })

  it('lambda receives an order and refuses a forged one', async () => {
    const folder = shop.folderOf('lambda')
    const output = await runScript(folder, 'start')
    expect(output).toContain(HANDLED)
    expect(output).toContain(PRINTED)
    expect(await runScript(folder, 'start', { args: ['a-guess'] })).toMatch(REFUSED)
  })
})
