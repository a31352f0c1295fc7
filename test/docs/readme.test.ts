import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseCodeBlocks } from './code-blocks.ts'

const BLOCKS = parseCodeBlocks('README.md')
const FOLDER = 'test/docs/.blocks/quick-start'

/** The code of the README's block with this title. */
function readBlock(title: string): string {
  const block = BLOCKS.find((one) => one.title === title)
  if (!block) throw new Error(`The README has no block with the title '${title}'.`)
  return block.code
}

beforeAll(() => {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(`${FOLDER}/shop.ts`, readBlock('shop.ts'))
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

describe('README example', () => {
  it('has at most ten lines of code', () => {
    const lines = readBlock('shop.ts')
      .split('\n')
      .filter((line) => line.trim() !== '')
    expect(lines.length).toBeLessThanOrEqual(11)
  })

  it('receives a signed order with the commands as they are printed, and prints what the README says', async () => {
    await withShop(async ({ port, output }) => {
      const sender = runCommand(readBlock('send an order').replaceAll('localhost:3000', `localhost:${port}`))
      const answer = await text(sender.stdout)
      expect(answer).toBe(readBlock('the answer'))
      await expect.poll(output, { timeout: 10_000 }).toBe(readBlock('what the shop prints'))
    })
  }, 60_000)

  it('answers a signed delivery 200, and prints the order that it brings', async () => {
    await withShop(async ({ port, output }) => {
      const delivery = await createDelivery('orders.place', { secret: TEST_SECRET, resource: { number: '4711' } })
      const answer = await fetch(`http://localhost:${port}/webhooks`, delivery)
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({ outcome: 'handled' })
      await expect.poll(output, { timeout: 10_000 }).toContain('john@example.com placed order 4711: €57,00')
    })
  }, 60_000)
})

describe('README', () => {
  it('has at most 10 KB', () => {
    expect(statSync('README.md').size).toBeLessThanOrEqual(10 * 1024)
  })
})

interface Shop {
  readonly port: number
  /** What it has printed so far. */
  readonly output: () => string
}

/** Starts the quick start by the command of the README, on a free port, until `act` has ended. */
async function withShop(act: (shop: Shop) => Promise<void>): Promise<void> {
  const port = await findFreePort()
  const shop = runCommand(readBlock('start the shop'), { PORT: String(port) })
  let printed = ''
  shop.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
  })
  try {
    await waitUntilListening(port, shop)
    await act({ port, output: () => printed })
  } finally {
    if (shop.pid && shop.exitCode === null) {
      process.kill(-shop.pid)
      await once(shop, 'exit')
    }
  }
}

/** Runs a command as a terminal would; in a process group of its own, because `npx` starts others. */
function runCommand(command: string, env: NodeJS.ProcessEnv = {}) {
  return spawn(command, {
    shell: true,
    detached: true,
    cwd: FOLDER,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function waitUntilListening(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const socket = connect(port, 'localhost')
      await once(socket, 'connect')
      socket.destroy()
      return
    } catch (error) {
      if (tries > 300 || child.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return address.port
}
