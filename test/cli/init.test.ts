import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { INBOXES, STORES } from '../../src/cli/init/drivers.ts'
import { planFiles } from '../../src/cli/init/files.ts'
import { FRAMEWORKS, type Framework } from '../../src/cli/init/layout.ts'
import type { Project } from '../../src/cli/init/project.ts'
import { createProject, runCli, startInTerminal } from './run-cli.ts'

const EMPTY = { 'package.json': '{"name":"shop"}' }
const EXPRESS = ['init', '--yes', '--framework', 'express']

describe('hooklayer init', () => {
  it('writes the files of an empty project, and says what comes next', async () => {
    const cwd = await createProject(EMPTY)
    const { exit, stdout, stderr } = await runCli([...EXPRESS, '--inbox', 'redis'], { cwd })
    expect({ exit, stdout, stderr }).toEqual({
      exit: 0,
      stdout: '',
      stderr: `+ src/webhooks/handlers.ts
+ src/webhooks/receiver.ts
+ src/webhooks/worker.ts
+ src/webhooks/route.ts
+ src/server.ts
+ test/webhooks.test.ts
+ hooklayer.config.ts
+ .env.example

The handlers run in the worker of the inbox. Start it beside the app: npx tsx src/webhooks/worker.ts

Next:
  npm install hooklayer @commercelayer/sdk express bullmq ioredis && npm install --save-dev tsx @types/express
  npx tsx --test test/webhooks.test.ts
  npx hooklayer dev -- npx tsx src/server.ts
`,
    })
    expect(readFileSync(join(cwd, '.env.example'), 'utf8')).toBe(
      '# The shared secret of each webhook. `npx hooklayer dev` sets them by itself.\nCL_SECRET_ORDERS__PLACE=\n\n' +
        '# Redis of the store and the inbox\nREDIS_URL=redis://127.0.0.1:6379\n',
    )
    expect(readFileSync(join(cwd, 'hooklayer.config.ts'), 'utf8')).not.toContain('forward') // It would hide PORT.
    expect(existsSync(join(cwd, 'node_modules/express'))).toBe(false)
  })

  it('fits into a project that has an app, a test runner and a package manager', async () => {
    const dependencies = { next: '16', react: '19', 'react-dom': '19', hooklayer: '1' }
    const manifest = JSON.stringify({ dependencies, devDependencies: { vitest: '4', typescript: '5' } })
    const files = { 'package.json': manifest, 'pnpm-lock.yaml': '', 'src/app/page.tsx': '' }
    const { exit, objects } = await runCli(['init', '--yes', '--topics', 'customers.create', '--json'], { files })
    expect({ exit, objects: objects() }).toEqual({
      exit: 0,
      objects: [
        {
          files: [
            'src/webhooks/handlers.ts',
            'src/webhooks/receiver.ts',
            'src/app/webhooks/route.ts',
            'test/webhooks.test.ts',
            'hooklayer.config.ts',
            '.env.example',
          ],
          toDo: [],
          next: [
            'pnpm add @commercelayer/sdk && pnpm add --save-dev @types/node @types/react',
            'npx vitest run test/webhooks.test.ts',
            'npx hooklayer dev -- npx next dev',
          ],
        },
      ],
    })
  })

  it('says what to change in an app that is there', async () => {
    const files = { ...EMPTY, 'src/app.ts': 'export const mine = true\n' }
    const { exit, stderr } = await runCli(EXPRESS, { files })
    expect({ exit, stderr }).toEqual({
      exit: 0,
      stderr: expect.stringContaining(
        "\n\nIn your app, above every body parser: app.use('/webhooks', webhooks) of src/webhooks/route.ts.\n",
      ),
    })
    expect(stderr).not.toContain('server.ts')
  })

  it('writes nothing where one of its files is there already', async () => {
    const cwd = await createProject({ ...EMPTY, 'hooklayer.config.ts': 'mine' })
    expect(await runCli(EXPRESS, { cwd })).toMatchObject({
      exit: 2,
      stdout: '',
      stderr: 'Nothing was written, because there is already: hooklayer.config.ts\n',
    })
    expect(readdirSync(cwd).sort()).toEqual(['hooklayer.config.ts', 'node_modules', 'package.json'])
    expect(readFileSync(join(cwd, 'hooklayer.config.ts'), 'utf8')).toBe('mine')
  })

  it('leaves nothing behind where a file cannot be written', async () => {
    const cwd = await createProject({ ...EMPTY, test: 'a file, and no folder' })
    const { exit, stderr } = await runCli(EXPRESS, { cwd })
    expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringMatching(/^[^\n]+\n$/) })
    expect(existsSync(join(cwd, 'src/webhooks/handlers.ts'))).toBe(false)
  })

  it.each([
    [[], '{', 'package.json cannot be read as JSON.'],
    [[], '{}', 'Which framework? package.json has none of them: answer with --framework.'],
    [['--framework', 'rails'], '{}', "Option '--framework <name>' argument 'rails' is invalid. Allowed choices are"],
    [
      ['--framework', 'express', '--topics', 'orders.placed'],
      '{}',
      '--topics: Commerce Layer has no topic orders.placed. One is orders.place.',
    ],
    [
      ['--framework', 'lambda', '--inbox', 'sqlite'],
      '{}',
      'A Lambda has no disk that stays: choose redis or postgres, or none.',
    ],
  ])('refuses %j in one line, with 2', async (args, manifest, line) => {
    const files = { 'package.json': manifest }
    const { exit, stdout, stderr } = await runCli(['init', '--yes', ...args], { files })
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' })
    expect(stderr).toMatch(/^[^\n]+\n$/)
    expect(stderr).toContain(line)
  })

  it('names the flag where nobody can be asked, and package.json where there is none', async () => {
    expect(await runCli(['init'], { files: EMPTY })).toMatchObject({
      exit: 2,
      stderr: 'Which framework? Nobody can be asked here: answer with --framework.\n',
    })
    expect(await runCli(['init'])).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('There is no package.json'),
    })
  })

  it('asks in a terminal, and offers the framework of the project first', async () => {
    const cwd = await createProject({ 'package.json': '{"dependencies":{"@nestjs/core":"11"}}' })
    const running = await startInTerminal(['init'], { cwd })
    const answer = async (question: string, keys: string) => {
      await running.lineWith(question)
      running.child.stdin.write(keys)
    }
    await answer('Which framework?', '\r')
    await answer('Which topics?', 'orders.place,orders.cancel\r')
    await answer('An inbox stores deliveries', '\r')
    await answer('A store remembers', '\u001b[B\r')
    const { exit } = await running.result()
    expect(exit).toBe(0)
    const module = readFileSync(join(cwd, 'src/webhooks/webhooks.module.ts'), 'utf8')
    expect(module).toContain('createSqliteStore')
    expect(module).not.toContain('inbox')
    expect(readFileSync(join(cwd, 'src/webhooks/webhook-handlers.ts'), 'utf8')).toContain("@OnWebhook('orders.cancel'")
  })

  it('ends with 130 on Ctrl-C at a question, and has written nothing', async () => {
    const cwd = await createProject(EMPTY)
    const running = await startInTerminal(['init'], { cwd })
    await running.lineWith('Which framework?')
    running.child.stdin.write('\x03')
    expect(await running.result()).toMatchObject({ exit: 130 })
    expect(readdirSync(cwd)).toEqual(['node_modules', 'package.json'])
  })
})

const FOLDER = 'test/docs/.blocks/init'

describe('what init writes', () => {
  afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

  it('compiles for each framework with each inbox and store', { timeout: 120_000 }, () => {
    const files = Object.keys(FRAMEWORKS).flatMap((framework) =>
      ['none', ...Object.keys(INBOXES)].flatMap((driver) => writeProject(framework as Framework, driver)),
    )
    expect(files.length).toBeGreaterThan(80)
    expect(Object.keys(STORES)).toEqual(Object.keys(INBOXES))
    const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
    const program = ts.createProgram(files, { ...options, experimentalDecorators: true, emitDecoratorMetadata: true })
    const complaints = files
      .flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)))
      .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    expect(complaints).toEqual([])
  })
})

function writeProject(framework: Framework, driver: string): string[] {
  const topics = ['orders.place', 'customers.create', 'promotions.create']
  const project: Project = { packages: new Set(), manager: 'npm', testRunner: 'node', has: () => false }
  const { files } = planFiles({ framework, topics, inbox: driver, store: driver }, project)
  const paths = Object.entries(files).filter(([path]) => path.endsWith('.ts'))
  return paths.map(([path, text]) => {
    const file = join(FOLDER, `${framework}-${driver}`, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  })
}
