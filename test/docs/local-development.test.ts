import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { maskOutput } from '../cli/run-cli.ts'
import { freePorts } from '../servers/process.ts'
import { parseCodeBlocks } from './code-blocks.ts'
import { type Command, createShopFolder, runCommand } from './shell.ts'

const BLOCKS = parseCodeBlocks('docs/local-development.md')

/** The code of the page's block with this title. */
function readBlock(title: string): string {
  const block = BLOCKS.find((one) => one.title === title)
  if (!block) throw new Error(`The page has no block with the title '${title}'.`)
  return block.code
}

/** The page's command on ports of the test. */
async function readCommand(title: string, receiverPort = 0): Promise<string> {
  return onTestPorts(readBlock(title), receiverPort)
}

async function onTestPorts(command: string, receiverPort: number): Promise<string> {
  const [port] = await freePorts(1)
  return command.replace(
    'hooklayer dev',
    `hooklayer dev --port ${port} --forward http://127.0.0.1:${receiverPort}/webhooks`,
  )
}

const mask = (text: string) => maskOutput(text).replace(/^\d\d:\d\d:\d\d/gm, 'CLOCK')

/** Waits for each line that the page shows. */
async function expectLines(command: Command, title: string): Promise<void> {
  for (const line of readBlock(title).trimEnd().split('\n')) {
    await expect.poll(() => mask(command.output()), { timeout: 20_000 }).toContain(mask(line))
  }
}

describe('docs/local-development.md', { timeout: 60_000 }, () => {
  it('starts the shop, and prints the first order and a forged delivery as the page shows them', async () => {
    const folder = await createShopFolder({ 'shop.ts': readBlock('shop.ts') })
    const dev = runCommand(await readCommand('start'), folder)
    await expectLines(dev, 'the first order')
    dev.type('f wrong-signature')
    dev.type('orders.place')
    await expectLines(dev, 'a forged delivery')
    dev.type('customers.create')
    await dev.lineWith('Customer john@example.com')
    dev.type('q')
    expect(await dev.ended()).toBe(0)
  })

  it('says that the path is wrong, as the page shows it', async () => {
    const folder = await createShopFolder({ 'shop.ts': readBlock('shop.ts').replace("'/webhooks'", "'/hooks'") })
    await expectLines(runCommand(await readCommand('start'), folder), 'a wrong path')
  })

  it('delivers to a shop that is started with the variables of the file', async () => {
    const folder = await createShopFolder({ 'shop.ts': readBlock('shop.ts') })
    const [port = 0] = await freePorts(1)
    const dev = runCommand(await readCommand('write the variables', port), folder)
    await dev.lineWith('.env.local has the variables')
    expect(statSync(`${folder}/.env.local`).mode & 0o777).toBe(0o600)
    const shop = runCommand(readBlock('start the shop'), folder, { PORT: String(port) })
    await shop.lineWith('Order 1234 of john@example.com')
    await dev.lineWith('200 handled')
  })

  it('lets a second terminal trigger, with the variables in `.env`', async () => {
    const folder = await createShopFolder({ 'shop.ts': readBlock('shop.ts') })
    const [first = '', second = ''] = readBlock('two terminals').trimEnd().split('\n')
    const [port = 0] = await freePorts(1)
    const dev = runCommand(await onTestPorts(first, port), folder)
    await dev.lineWith('.env has the variables')
    const shop = runCommand('npx tsx --env-file=.env shop.ts', folder, { PORT: String(port) })
    await dev.lineWith('200 handled')
    const trigger = runCommand(second, folder)
    expect(await trigger.ended()).toBe(0)
    expect(mask(trigger.output())).toContain('orders.place → http://127.0.0.1:PORT/webhooks: 200 OK ( TIME)')
    await shop.lineWith('of zoe@example.com')
  })
})
