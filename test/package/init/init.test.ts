import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { packTarball } from '../pack.ts'

const run = promisify(execFile)
const SECRET = '4f6a0c8e2b7d19535e8fa1c3d07b6294'
const TOPICS = 'orders.place,customers.create'

/** What the project does once its test is green. Each gives what a delivery was answered, and what was printed. */
const USES: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  express: (folder) => triggerServer(folder, 'src/server.ts'),
  nest: (folder) => triggerServer(folder, 'src/main.ts'),
  next: (folder) =>
    runTypeScript(
      folder,
      `
      import { createDelivery } from 'hooklayer/testing'
      import { POST } from './app/webhooks/route'
      const delivery = await createDelivery('orders.place', { secret: '${SECRET}' })
      const answer = await POST(new Request('http://shop.example/webhooks', delivery))
      console.log(answer.status, await answer.text())`,
    ),
  lambda: (folder) =>
    runTypeScript(
      folder,
      `
      import { createDelivery } from 'hooklayer/testing'
      import { handler } from './src/webhooks/lambda.js'
      const { method, headers, body } = await createDelivery('orders.place', { secret: '${SECRET}' })
      const { statusCode, body: text } = await handler({
        requestContext: { http: { method } },
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        body: Buffer.from(body).toString('base64'),
        isBase64Encoded: true,
      })
      console.log(statusCode, text)`,
    ),
}

/** The ways in which Node takes the files of a project. */
const TYPES = { express: 'module', lambda: 'module', next: 'commonjs', nest: 'commonjs' } as const

it.each(Object.entries(TYPES))(
  'from an empty project to a green test: %s',
  { timeout: 240_000 },
  async (framework, type) => {
    const tarball = await packTarball()
    const folder = mkdtempSync(join(tmpdir(), `hooklayer-init-${framework}-`))
    try {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'shop', private: true, type }))
      cpSync(tarball, join(folder, 'hooklayer.tgz'))
      const startedAt = performance.now()
      // `npx hooklayer` of a published package: the unpacked tarball, whose dependencies come from the repository.
      const program = resolve('test/package/.packed/package/dist/cli.js')
      const flags = ['--yes', '--framework', framework, '--topics', TOPICS, '--json']
      const { stdout } = await run(process.execPath, [program, 'init', ...flags], { cwd: folder })
      const { files, next } = JSON.parse(stdout) as { files: string[]; next: string[] }
      for (const file of files) expect(readFileSync(join(folder, file), 'utf8')).toMatch(/\S\n$/)
      const [install = '', test = ''] = next
      await shell(
        folder,
        install.replace(' hooklayer ', ' ./hooklayer.tgz ').replaceAll('install ', `install ${QUIET} `),
      )
      expect(await shell(folder, test)).toMatch(/# pass 3\n# fail 0|ℹ pass 3\nℹ fail 0/)
      console.log(`${framework}: green after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
      expect(await USES[framework]?.(folder)).toContain('200 {"outcome":"handled"}')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

const QUIET = '--no-audit --no-fund --prefer-offline'

async function shell(folder: string, line: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', line], { cwd: folder, maxBuffer: 2 ** 26 }).catch((error) => {
    throw new Error(`${line}\n${error.stdout}\n${error.stderr}`)
  })
  return stdout
}

async function runTypeScript(folder: string, code: string): Promise<string> {
  writeFileSync(join(folder, 'use.mts'), code)
  const env = { ...process.env, CL_SECRET_ORDERS__PLACE: SECRET }
  const { stdout } = await run('npx', ['tsx', 'use.mts'], { cwd: folder, env })
  return stdout
}

/** Starts the shop, and sends an order to it with the command of the project. */
async function triggerServer(folder: string, file: string): Promise<string> {
  const port = await findPort()
  const env = { ...process.env, CL_SECRET_ORDERS__PLACE: SECRET, PORT: String(port) }
  const server = spawn(process.execPath, ['--import', 'tsx', file], { cwd: folder, env })
  let output = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (output += chunk))
  try {
    const url = `http://127.0.0.1:${port}/webhooks`
    for (let isUp = false; !isUp; ) {
      if (server.exitCode !== null) throw new Error(output)
      isUp = await fetch(url).then(
        () => true,
        () => new Promise((later) => setTimeout(later, 100, false)),
      )
    }
    const sent = await run('npx', ['hooklayer', 'trigger', 'orders.place', '--to', url, '--json'], { cwd: folder, env })
    const { status, answer } = JSON.parse(sent.stdout)
    expect(output).toContain('orders.place: ')
    return `${status} {"outcome":"${answer}"}`
  } finally {
    server.kill('SIGTERM')
    await once(server, 'close')
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
