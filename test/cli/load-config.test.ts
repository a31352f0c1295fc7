import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { createReceiver } from 'hooklayer'
import { defineConfig, type HooklayerConfig } from 'hooklayer/config'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { TEST_SECRET } from 'hooklayer/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { CliError } from '../../src/cli/cli-error.ts'
import { loadConfig, readCredentials } from '../../src/cli/configuration/load-config.ts'
import { addShowSecretsOption, maskSecret } from '../../src/cli/configuration/secrets.ts'
import { buildPackage } from './build.ts'
import { createProject, runCli } from './run-cli.ts'

const receiver = createReceiver({ secrets: TEST_SECRET })

describe('defineConfig', () => {
  it('gives what it was given', () => {
    const config = {
      receiver,
      inbox: createMemoryInbox(),
      callbackUrl: 'https://shop.example',
      topics: ['orders.place'],
    }
    expect(defineConfig(config)).toBe(config)
    expect(defineConfig({ receiver, management: { organization: 'acme' } }).management).toEqual({
      organization: 'acme',
    })
  })

  it.each([
    [{}, 'defineConfig: `receiver` is missing.'],
    [{ receiver: () => {} }, 'defineConfig: `receiver` must be a receiver, as `createReceiver` gives it.'],
    [{ receiver, reciever: 1 }, 'defineConfig has no option `reciever`. Did you mean `receiver`?'],
    [{ receiver, inbox: {} }, '`inbox` has no method `put`.'],
    [{ receiver, callbackUrl: 'shop' }, 'defineConfig: `callbackUrl` must be a URL with https, or with http.'],
    [{ receiver, topics: 'orders.place' }, 'defineConfig: `topics` must be a list of topics such as orders.place.'],
    [{ receiver, forward: 3000 }, 'defineConfig: `forward` must be a URL with https, or with http.'],
    [{ receiver, ask: { payment: '/pay' } }, 'defineConfig: `ask` must be an object such as'],
    [{ receiver, ask: { tax: '' } }, 'defineConfig: `ask` must be an object such as'],
    [{ receiver, management: { clientID: '1' } }, 'has no option `clientID`. Did you mean `clientId`?'],
    [{ receiver, management: { clientId: '' } }, '`clientId` must be text that is not empty.'],
  ])('refuses %j, and names the option', (config, message) => {
    expect(() => defineConfig(config as unknown as HooklayerConfig)).toThrow(message)
  })
})

const TYPESCRIPT = `
import { createReceiver } from 'hooklayer'
import { defineConfig } from 'hooklayer/config'
import { forward } from './forward'

if (globalThis.copy && globalThis.copy !== createReceiver) throw new Error('There are two copies of hooklayer.')
enum Kind { A = 'a' }
export default defineConfig({ receiver: createReceiver({ secrets: 'x'.repeat(32) }), forward: forward as string })
`
const FORWARD = { 'forward.ts': "export const forward: string = 'http://127.0.0.1:2/from-the-configuration'\n" }
const TRIGGER = ['trigger', 'orders.place', '--secret', 'x'.repeat(32)]
const PLAIN = "{ receiver: { receive() {} }, forward: 'http://127.0.0.1:2/' }"

describe('the configuration', () => {
  it.each(['ts', 'mts'])(
    'is loaded from hooklayer.config.%s, with imports without extension and enums',
    async (end) => {
      const { exit, stderr } = await runCli(TRIGGER, { files: { [`hooklayer.config.${end}`]: TYPESCRIPT, ...FORWARD } })
      expect({ exit, stderr }).toMatchObject({ exit: 4, stderr: expect.stringContaining('127.0.0.1:2') })
    },
  )

  it('shares one copy of hooklayer with the command', async () => {
    const module = pathToFileURL(join(await buildPackage(), 'dist/index.js')).href
    const preload = `import { createReceiver } from '${module}'\nglobalThis.copy = createReceiver\n`
    const cwd = await createProject({ 'preload.mjs': preload, 'hooklayer.config.ts': TYPESCRIPT, ...FORWARD })
    const env = { NODE_OPTIONS: `--import ${join(cwd, 'preload.mjs')}` }
    expect((await runCli(TRIGGER, { cwd, env })).stderr).toContain('Nothing listens there')
  })

  it.each([
    ['hooklayer.config.mjs', `export default ${PLAIN}`],
    ['hooklayer.config.cjs', `module.exports = ${PLAIN}`],
    ['hooklayer.config.js', `module.exports = ${PLAIN}`],
  ])('is loaded from %s', async (name, text) => {
    expect(await runCli(TRIGGER, { files: { [name]: text } })).toMatchObject({ exit: 4 })
    expect(await runCli([...TRIGGER, '--config', `etc/${name}`], { files: { [`etc/${name}`]: text } })).toMatchObject({
      exit: 4,
    })
  })

  it('prints to stderr, so that only the result is on stdout', async () => {
    const text = `console.log('loaded')\nconsole.table([{ a: 1 }])\nexport default ${PLAIN}`
    const args = ['health', '--json']
    const env = {
      CL_ORGANIZATION: 'acme',
      CL_CLIENT_ID: 'id',
      CL_CLIENT_SECRET: 'hush',
      CL_API_URL: 'http://127.0.0.1:2',
    }
    const { exit, stdout, stderr } = await runCli(args, { env, files: { 'hooklayer.config.mjs': text } })
    expect({ exit, stdout }).toEqual({ exit: 4, stdout: '' })
    expect(stderr).toContain('loaded\n')
  })

  it.each([
    [
      'throws',
      "throw new Error('No database.\\nAt all.')",
      'hooklayer.config.ts cannot be loaded: No database.\\u000aAt all.',
    ],
    ['has no default export', 'export const a = 1', 'hooklayer.config.ts has no default export.'],
    [
      'is wrong',
      'export default { receiver: { receive() {} }, callbackURL: 1 }',
      'hooklayer.config.ts is wrong: defineConfig has no option `callbackURL`. Did you mean `callbackUrl`?',
    ],
  ])('is explained in one line where it %s, with 3', async (_, text, line) => {
    const files = { 'hooklayer.config.ts': text }
    expect(await runCli(TRIGGER, { files })).toMatchObject({ exit: 3, stderr: `${line}\n` })
    expect((await runCli([...TRIGGER, '--verbose'], { files })).stderr).toContain('\n    at ')
  })

  it('is named with the line that throws, with --verbose', async () => {
    const files = { 'hooklayer.config.ts': "\n\nthrow new Error('No database \\u001b[2J.')" }
    const { stderr } = await runCli([...TRIGGER, '--verbose'], { files })
    expect(stderr).toMatch(/Caused by Error: No database \\u001b\[2J\.\n {4}at .*hooklayer\.config\.ts:3:7/)
  })

  it('is a mistake of the command line where its file is missing, and needed by some commands', async () => {
    expect(await runCli([...TRIGGER, '--config', 'none.ts'])).toMatchObject({ exit: 2 })
    await expect(loadConfig({})).rejects.toMatchObject({ exit: 'CONFIGURATION' })
  })
})

describe('the credentials', () => {
  afterEach(() => {
    for (const name of ['CL_ORGANIZATION', 'CL_CLIENT_ID', 'CL_CLIENT_SECRET', 'CL_API_URL']) delete process.env[name]
  })

  it('are those of the configuration, or else of the environment', () => {
    Object.assign(process.env, { CL_ORGANIZATION: 'acme', CL_CLIENT_ID: 'id', CL_CLIENT_SECRET: 'hush' })
    const expected = { organization: 'acme', clientId: 'id', clientSecret: 'hush', url: undefined }
    expect(readCredentials(undefined)).toEqual(expected)
    process.env.CL_API_URL = 'http://127.0.0.1:4000'
    const config = { receiver, management: { clientId: 'other' } }
    expect(readCredentials(config)).toEqual({ ...expected, clientId: 'other', url: 'http://127.0.0.1:4000' })
  })

  it('are named where they are missing', () => {
    process.env.CL_CLIENT_ID = 'id'
    expect(() => readCredentials(undefined)).toThrow(CliError)
    expect(() => readCredentials(undefined)).toThrow('Set CL_ORGANIZATION, CL_CLIENT_SECRET in')
  })
})

it('a secret is printed only where that was asked for', () => {
  const parse = (...flags: string[]) => addShowSecretsOption(new Command()).parse(flags, { from: 'user' }).opts()
  expect(maskSecret('hush', parse())).toBe('********')
  expect(maskSecret('hush', parse('--show-secrets'))).toBe('hush')
})
