import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createDelivery, TEST_SECRET } from 'hooklayer/testing'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERRORS, OUTCOMES } from '../../src/core/outcomes.ts'
import { codeBlocksOf } from './code-blocks.ts'

const README = readFileSync('README.md', 'utf8')
const BLOCKS = codeBlocksOf('README.md').filter(({ language }) => language === 'ts')
const FOLDER = 'test/docs/.blocks'
const fileOf = (i: number) => `${FOLDER}/block-${i}.ts`

beforeAll(() => {
  mkdirSync(FOLDER, { recursive: true })
  BLOCKS.forEach(({ code }, i) => {
    writeFileSync(fileOf(i), `${code}\nexport {}\n`)
  })
})
afterAll(() => rmSync(FOLDER, { recursive: true }))

describe('README', () => {
  it('compiles, every block of it', () => {
    const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
    const files = BLOCKS.map((_, i) => fileOf(i))
    // A reader's `fetch`, `Request` and `Response` come with their Node's types.
    const program = ts.createProgram(files, { ...options, noUnusedLocals: false })
    const complaints = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => {
      return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
    expect(complaints).toEqual([])
    expect(files.length).toBeGreaterThanOrEqual(5)
  }, 60_000)

  it('has a quick start of ten lines that receives an order', async () => {
    const index = BLOCKS.findIndex(({ title }) => title === 'quick start')
    const lines = BLOCKS[index]?.code.split('\n').filter((line) => line.trim() !== '')
    expect(lines?.length).toBeLessThanOrEqual(11)
    const port = await freePort()
    const child = spawn(process.execPath, ['--import', 'tsx', fileOf(index)], {
      env: { ...process.env, PORT: String(port), CL_SECRET_ORDERS_PLACE: TEST_SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const said = once(child.stdout, 'data')
      const delivery = await createDelivery('orders.place', { resource: { number: '4711' } })
      const answer = await untilListening(() => fetch(`http://127.0.0.1:${port}/webhooks`, delivery))
      expect(answer.status).toBe(200)
      expect(await answer.json()).toEqual({ outcome: 'handled' })
      expect(String(await said)).toContain('john@example.com placed order 4711: €57,00')
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  }, 30_000)

  it('lists every outcome and every error code with its status, and no other', () => {
    const rows = Array.from(README.matchAll(/^\| `([A-Za-z_]+)` \| (\d{3}) \|/gm), ([, name, status]) => [
      name,
      Number(status),
    ])
    const outcomes = Object.entries(OUTCOMES)
    const errors = Object.entries(ERRORS).map(([code, [status]]) => [code, status])
    expect(new Map(rows as [string, number][])).toEqual(new Map([...outcomes, ...errors] as [string, number][]))
    expect(rows).toHaveLength(outcomes.length + errors.length)
  })

  it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'])(
    'names files, folders and scripts that exist in %s',
    (document) => {
      const text = readFileSync(document, 'utf8')
      const links = Array.from(text.matchAll(/\]\((?!https?:|#)([^)#]+)/g), ([, path]) => path ?? '')
      const paths = Array.from(text.matchAll(/`((?:src|test|examples|\.ci)\/[\w./*-]+)`/g), ([, path]) => path ?? '')
      const missing = [...links, ...paths].filter((path) => !existsSync(path.replace(/\/?\*.*$/, '')))
      const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
      const named = Array.from(text.matchAll(/npm (?:run )?(?!run\b)([\w:]+)/g), ([, script]) => script ?? '')
      const unknown = named.filter(
        (script) => !(script in scripts || ['ci', 'install', 'i', 'pack', 'publish'].includes(script)),
      )
      expect({ missing, unknown }).toEqual({ missing: [], unknown: [] })
    },
  )
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  return address.port
}

async function untilListening<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
