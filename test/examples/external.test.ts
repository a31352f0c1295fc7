import { describe, expect, it } from 'vitest'
import { EXAMPLE_SECRET, runScript, startServer } from './child.ts'
import { REFUSED } from './server-example.ts'
import { useShop } from './shop.ts'

const EXAMPLES = [
  ['external-tax', 'CL_SECRET_TAX', { tax_rate: 0.19 }, 'Taxes of order 1234, to DE'],
  [
    'external-prices',
    'CL_SECRET_MARKET',
    { sku_code: 'TSHIRTMM000000FFFFFFXLXX', unit_amount_cents: 3900 },
    'Price of TSHIRTMM000000FFFFFFXLXX, for john@example.com',
  ],
] as const

describe('examples of external resources, installed from the packed package', { timeout: 120_000 }, () => {
  const shop = useShop(...EXAMPLES.map(([example]) => example))

  it.each(EXAMPLES)(
    '%s answers a request, refuses a forged one, and ends on SIGTERM',
    async (example, variable, data, printed) => {
      const folder = shop.folderOf(example)
      const env = { [variable]: EXAMPLE_SECRET }
      const server = await startServer(folder, { env })
      try {
        const answer = `200 ${JSON.stringify({ success: true, data })}`
        expect(await runScript(folder, 'ask', { ...server, env })).toBe(answer)
        expect(await runScript(folder, 'ask', { ...server, env, args: ['a-guess'] })).toMatch(REFUSED)
        server.process.kill('SIGTERM')
        expect(await server.ended).toBe(0)
        expect(server.output()).toContain(printed)
      } finally {
        server.process.kill('SIGKILL')
      }
    },
  )
})
