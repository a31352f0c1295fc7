import { statSync } from 'node:fs'
import { createDelivery } from 'hooklayer/testing'
import { describe, expect, it } from 'vitest'
import { maskOutput } from '../cli/run-cli.ts'
import { freePorts } from '../servers/process.ts'
import { parseCodeBlocks } from './code-blocks.ts'
import { createShopFolder, runCommand } from './shell.ts'

const BLOCKS = parseCodeBlocks('README.md')

/** The code of the README's block with this title. */
function readBlock(title: string): string {
  const block = BLOCKS.find((one) => one.title === title)
  if (!block) throw new Error(`The README has no block with the title '${title}'.`)
  return block.code
}

const mask = (text: string) => maskOutput(text).replace(/^\d\d:\d\d:\d\d/gm, 'CLOCK')

describe('README example', () => {
  it('has at most ten lines of code', () => {
    const lines = readBlock('shop.ts')
      .split('\n')
      .filter((line) => line.trim() !== '')
    expect(lines.length).toBeLessThanOrEqual(11)
  })

  it('receives a signed order with the command as it is printed, and prints what the README says', async () => {
    const folder = await createShopFolder({ 'shop.ts': readBlock('shop.ts') })
    const [port, receiverPort] = await freePorts(2)
    const flags = `--port ${port} --forward http://127.0.0.1:${receiverPort}/webhooks`
    const dev = runCommand(readBlock('start').replace('hooklayer dev', `hooklayer dev ${flags}`), folder)
    const [order = '', answer = ''] = readBlock('the first order').trimEnd().split('\n')
    expect(await dev.lineWith('placed')).toBe(order)
    expect(mask(await dev.lineWith(' 200 '))).toBe(mask(answer))
  }, 60_000)

  it('answers a signed delivery 200, and prints the order that it brings', async () => {
    const folder = await createShopFolder({ 'shop.ts': readBlock('shop.ts') })
    const [port] = await freePorts(1)
    const secret = '0123456789abcdef0123456789abcdef'
    const shop = runCommand('npx tsx shop.ts', folder, { PORT: String(port), CL_SECRET_ORDERS__PLACE: secret })
    const delivery = await createDelivery('orders.place', { secret, resource: { number: '4711' } })
    await expect
      .poll(() => fetch(`http://localhost:${port}/webhooks`, delivery).catch(() => undefined), { timeout: 30_000 })
      .toMatchObject({ status: 200 })
    await shop.lineWith('john@example.com placed order 4711: €57,00')
  }, 60_000)
})

describe('README', () => {
  it('has at most 10 KB', () => {
    expect(statSync('README.md').size).toBeLessThanOrEqual(10 * 1024)
  })
})
